#include "engine/core/shared_tree.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/shared_objects.h"
#include "engine/os/heap.h"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {
namespace {

using Value = SharedTree::Value;

// { version, version * 2, nil, 4, name = "v<version>", sub = { deep = version } }
std::shared_ptr<SharedTree> MakeTree(Memory& memory, int64_t version) {
  SharedTree::Builder builder;
  const uint32_t sub =
      builder.AddTable({}, {{SharedTree::String("deep"), SharedTree::Integer(version)}});
  const std::string name = absl::StrCat("v", version);
  builder.AddTable({SharedTree::Integer(version), SharedTree::Integer(version * 2), Value{},
                    SharedTree::Integer(4)},
                   {{SharedTree::String("name"), SharedTree::String(name)},
                    {SharedTree::String("sub"), SharedTree::Table(sub)}});
  return builder.Finish(memory);
}

TEST_CASE("a shared tree gives what was put into it") {
  Heap heap;

  const auto tree = MakeTree(heap, 7);

  const uint32_t root = tree->root();
  CHECK(tree->Find(root, SharedTree::Integer(2)) == SharedTree::Integer(14));
  CHECK(tree->Find(root, SharedTree::Integer(3)).type == SharedTree::Type::kNil);
  CHECK(tree->Find(root, SharedTree::Integer(5)).type == SharedTree::Type::kNil);
  CHECK(tree->Find(root, SharedTree::Integer(0)).type == SharedTree::Type::kNil);
  CHECK(tree->Find(root, SharedTree::String("name")) == SharedTree::String("v7"));
  CHECK(tree->Find(root, SharedTree::String("nam")).type == SharedTree::Type::kNil);
  CHECK(tree->Find(root, Value{}).type == SharedTree::Type::kNil);
  const Value sub = tree->Find(root, SharedTree::String("sub"));
  REQUIRE(sub.type == SharedTree::Type::kTable);
  CHECK(tree->Find(static_cast<uint32_t>(sub.bits), SharedTree::String("deep")) ==
        SharedTree::Integer(7));
  CHECK(tree->array_size(root) == 4);
  CHECK(tree->size(root) == 6);
}

TEST_CASE("a shared tree lists its fields in the order in which they were added") {
  Heap heap;
  const auto tree = MakeTree(heap, 1);
  const uint32_t root = tree->root();

  CHECK(tree->At(root, 1).key == SharedTree::Integer(2));
  CHECK(tree->At(root, 2).value.type == SharedTree::Type::kNil);
  CHECK(tree->At(root, 4).key == SharedTree::String("name"));
  CHECK(tree->At(root, 5).key == SharedTree::String("sub"));
}

TEST_CASE("a shared tree keeps keys of every type apart") {
  Heap heap;
  SharedTree::Builder builder;
  const std::vector<Value> keys = {
      SharedTree::Integer(1),      SharedTree::Float(1.5),   SharedTree::String("1"),
      SharedTree::Boolean(true),   SharedTree::Boolean(false), SharedTree::String(""),
      SharedTree::Pointer(&heap),  SharedTree::Integer(0),   SharedTree::Float(-1.5),
      SharedTree::Integer(std::numeric_limits<int64_t>::min()),
      SharedTree::String(absl::string_view("\0", 1)),
  };
  std::vector<SharedTree::Field> fields;
  for (size_t i = 0; i < keys.size(); ++i) {
    fields.push_back({keys[i], SharedTree::Integer(static_cast<int64_t>(i))});
  }
  builder.AddTable({}, fields);

  const auto tree = builder.Finish(heap);

  for (size_t i = 0; i < keys.size(); ++i) {
    CHECK(tree->Find(tree->root(), keys[i]) == SharedTree::Integer(static_cast<int64_t>(i)));
  }
}

TEST_CASE("a big shared table finds each of its fields, and no other") {
  Heap heap;
  SharedTree::Builder builder;
  std::vector<std::string> names;
  for (int i = 0; i < 20000; ++i) names.push_back(absl::StrCat("key of item ", i));
  std::vector<SharedTree::Field> fields;
  for (int i = 0; i < 20000; ++i) {
    fields.push_back({SharedTree::String(names[i]), SharedTree::Integer(i)});
  }
  builder.AddTable({}, fields);
  const auto tree = builder.Finish(heap);

  for (int i = 0; i < 20000; ++i) {
    REQUIRE(tree->Find(tree->root(), SharedTree::String(names[i])) == SharedTree::Integer(i));
  }
  CHECK(tree->Find(tree->root(), SharedTree::String("key of item")).type ==
        SharedTree::Type::kNil);
}

TEST_CASE("a shared tree is one block, given back when the last owner lets go") {
  CountingMemory memory;
  {
    auto tree = MakeTree(memory, 1);
    CHECK(memory.live() == 1);
    const auto other = tree;
    tree.reset();
    CHECK(memory.live() == 1);
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("a number of a shared object finds it while somebody owns it, by its own type only") {
  class Other : public SharedObjects::Object {};
  Heap heap;
  SharedObjects objects;
  auto tree = MakeTree(heap, 1);
  const SharedObjects::Id id = objects.Add(tree);

  CHECK(objects.Find<SharedTree>(id) == tree);
  CHECK(objects.Find<Other>(id) == nullptr);
  CHECK(objects.Find<SharedTree>(id + 1) == nullptr);
  CHECK(objects.Find<SharedTree>(0) == nullptr);
  tree.reset();
  CHECK(objects.Find<SharedTree>(id) == nullptr);
  CHECK(objects.WasGiven(id));
  CHECK_FALSE(objects.WasGiven(id + 1));
  CHECK_FALSE(objects.WasGiven(0));
}

TEST_CASE("threads read and let go of versions while a writer makes new ones") {
  constexpr int kVersions = 2000, kReaders = 4;
  Heap heap;
  SharedObjects objects;
  std::atomic<SharedObjects::Id> newest{0};
  std::atomic<int> wrong{0};
  auto current = MakeTree(heap, 1);
  newest = objects.Add(current);
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      int64_t last = 0;
      while (last < kVersions) {
        const auto tree = objects.Find<SharedTree>(newest.load());
        if (tree == nullptr) continue;  // replaced meanwhile
        const auto version =
            static_cast<int64_t>(tree->Find(tree->root(), SharedTree::Integer(1)).bits);
        const auto sub = static_cast<uint32_t>(
            tree->Find(tree->root(), SharedTree::String("sub")).bits);
        if (version < last ||
            !(tree->Find(sub, SharedTree::String("deep")) == SharedTree::Integer(version)) ||
            !(tree->Find(tree->root(), SharedTree::String("name")) ==
              SharedTree::String(absl::StrCat("v", version)))) {
          ++wrong;
        }
        last = version;
      }
    });
  }

  for (int version = 2; version <= kVersions; ++version) {
    auto next = MakeTree(heap, version);
    newest = objects.Add(next);
    current = next;
  }
  for (std::thread& reader : readers) reader.join();

  CHECK(wrong == 0);
}

}  // namespace
}  // namespace skysim
