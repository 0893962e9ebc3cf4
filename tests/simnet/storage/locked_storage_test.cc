#include "simnet/storage/locked_storage.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "simnet/storage/tree_storage.h"

namespace skysim {
namespace {

TEST_CASE("a locked storage answers as the one below it") {
  HostFiles host;
  TreeStorage tree(host, {});
  LockedStorage storage(tree);

  auto file = storage.Open("/tmp/a", Storage::OpenMode::kCreate);
  REQUIRE(file.ok());
  REQUIRE((*file)->WriteAt(0, "text").ok());
  REQUIRE((*file)->Sync().ok());

  CHECK(*(*file)->ReadAt(1, 2) == "ex");
  CHECK(*(*file)->Size() == 4);
  CHECK(**storage.ReadAll("/tmp/a") == "text");
  CHECK(storage.Rename("/tmp/a", "/tmp/b").ok());
  CHECK_FALSE(storage.Exists("/tmp/a"));
  CHECK(storage.Remove("/tmp/b").ok());
  CHECK(storage.ReadAll("/tmp/b").status().message() == "No such file or directory");
}

TEST_CASE("threads may create, read and remove files of one tree at once") {
  HostFiles host;
  TreeStorage tree(host, {});
  LockedStorage storage(tree);
  std::atomic<int> failures{0};

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::string path = "/tmp/" + std::to_string(t);
      for (int i = 0; i < 200; ++i) {
        auto file = storage.Open(path, Storage::OpenMode::kCreate);
        if (!file.ok() || !(*file)->WriteAt(0, path).ok()) ++failures;
        auto content = storage.ReadAll(path);
        if (!content.ok() || **content != path || !storage.Remove(path).ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(failures == 0);
}

}  // namespace
}  // namespace skysim
