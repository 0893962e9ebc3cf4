#ifndef ENGINE_CORE_SHARED_TREE_H_
#define ENGINE_CORE_SHARED_TREE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/core/shared_objects.h"
#include "engine/platform/memory.h"

namespace skysim {

// SharedTree is one version of a tree of tables, never changed after it was made: what
// skynet.sharedata and skynet.sharetable share. It is one block of a Memory. A table is named by
// its index; several places of the tree may hold the same table, but none holds itself.
//
// Any number of threads read at once, without locks. Its Memory must outlive it.
class SharedTree final : public SharedObjects::Object {
 public:
  enum class Type : uint8_t {
    kNil,
    kBoolean,
    kInteger,
    kFloat,
    kString,
    kTable,
    kPointer,    // light userdata
    kCFunction,  // of the program; its address
    kFunction,   // the compiled form of a Lua function without upvalues
  };

  // A key or a value. `text` of one that came out of a tree lives as long as the tree.
  struct Value {
    Type type = Type::kNil;
    uint64_t bits = 0;       // boolean, integer, float (its bits), address, or index of a table
    absl::string_view text;  // string or function

    bool operator==(const Value& other) const {
      return type == other.type && bits == other.bits && text == other.text;
    }
  };
  static Value Boolean(bool value) { return {Type::kBoolean, value ? 1u : 0u, {}}; }
  static Value Integer(int64_t value) { return {Type::kInteger, static_cast<uint64_t>(value), {}}; }
  static Value Float(double value);
  static Value String(absl::string_view text) { return {Type::kString, 0, text}; }
  static Value Function(absl::string_view code) { return {Type::kFunction, 0, code}; }
  static Value Pointer(const void* address);
  static Value CFunction(uintptr_t address) { return {Type::kCFunction, address, {}}; }
  static Value Table(uint32_t index) { return {Type::kTable, index, {}}; }
  static double FloatOf(const Value& value);

  struct Field {
    Value key;
    Value value;
  };

  // Collects tables, children first, and makes the tree of them. Texts are copied at once.
  class Builder final {
   public:
    Builder();
    Builder(Builder&&);
    Builder& operator=(Builder&&);
    ~Builder();

    // `array` are the values of the keys 1 .. size, where nil is a hole; `fields` are all others,
    // with different keys and without nil. Tables among the values were added before. Returns the
    // index of the table.
    uint32_t AddTable(const std::vector<Value>& array, const std::vector<Field>& fields);

    // The tree whose root is the table added last; there is one. The builder is empty then.
    std::shared_ptr<SharedTree> Finish(Memory& memory);

   private:
    friend class SharedTree;
    struct Cell;
    struct Entry;
    struct Node;

    void Store(const Value& value, Cell& cell);

    std::vector<Node> nodes_;
    std::vector<Cell> cells_;
    std::vector<Entry> entries_;
    std::vector<uint32_t> slots_;
    std::string text_;
    absl::flat_hash_map<std::string, uint64_t> offsets_;  // of strings in text_
  };

  ~SharedTree() override;

  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t root() const { return table_count_ - 1; }
  uint32_t table_count() const { return table_count_; }
  size_t bytes() const { return bytes_; }

  // The value of a key; nil if there is none. `table` < table_count().
  Value Find(uint32_t table, const Value& key) const;

  // What a table holds: places 0 .. size()-1, the array first. A value of the array may be nil.
  uint32_t array_size(uint32_t table) const;
  uint32_t size(uint32_t table) const;
  Field At(uint32_t table, uint32_t place) const;

 private:
  SharedTree() = default;
  Value Load(const Builder::Cell& cell) const;

  Memory* memory_ = nullptr;
  char* block_ = nullptr;
  size_t bytes_ = 0;
  uint32_t table_count_ = 0;
  // Parts of the block.
  const Builder::Node* nodes_ = nullptr;
  const Builder::Entry* entries_ = nullptr;
  const Builder::Cell* cells_ = nullptr;  // arrays
  const uint32_t* slots_ = nullptr;       // of the hash tables: index of an entry + 1, or 0
  const char* text_ = nullptr;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SHARED_TREE_H_
