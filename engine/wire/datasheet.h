// The binary form of skynet.datasheet: a tree of tables that can be read where it lies. All numbers
// are little-endian.
//
//   u32 strings          where the strings begin, from the first byte
//   u32 n                tables; table 0 is the root
//   u32 place[n]         of each table, from the end of this list; 0xffffffff: there is none
//   tables               u32 array, u32 dict, u8 type[array + dict] padded to 4 bytes,
//                        u32 value[array], { u32 key, u32 value }[dict]
//   strings              each with a NUL behind it; keys and values are counted from the first
//
// Types: 0 nil, 1 integer of 32 bits, 2 float of 32 bits, 3 boolean, 4 table (its number), 5 text.
#ifndef ENGINE_WIRE_DATASHEET_H_
#define ENGINE_WIRE_DATASHEET_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

struct DatasheetValue {
  enum class Type : uint8_t { kNil, kInteger, kFloat, kBoolean, kTable, kString };
  Type type = Type::kNil;
  uint32_t bits = 0;       // integer, float, 0 or 1, or number of a table
  absl::string_view text;  // lives as long as the Datasheet
};

// Reads a sheet. Nothing is trusted: Parse() checks every table, so reading cannot fail.
class Datasheet final {
 public:
  static constexpr uint32_t kRoot = 0;

  // Errors (InvalidArgument): what is wrong, and at which table.
  static absl::StatusOr<Datasheet> Parse(std::string bytes);

  struct Field {
    bool is_item = false;   // of the array: `index` is the key, else `key`
    uint32_t index = 0;     // from 1
    absl::string_view key;
    DatasheetValue value;
  };
  bool HasTable(uint64_t table) const;
  // Places 0 .. size() - 1, the array first. Only for tables that a value names, and the root.
  uint32_t size(uint32_t table) const;
  Field At(uint32_t table, uint32_t place) const;

  const std::string& bytes() const { return bytes_; }

 private:
  struct Shape {
    size_t begin;  // of the types
    uint32_t array;
    uint32_t dict;
    size_t values() const { return begin + (size_t{array} + dict + 3) / 4 * 4; }
    size_t end() const { return values() + 4 * size_t{array} + 8 * size_t{dict}; }
  };

  explicit Datasheet(std::string bytes) : bytes_(std::move(bytes)) {}
  absl::Status Check();
  absl::Status CheckTable(uint32_t table, const Shape& shape) const;
  uint32_t Word(size_t offset) const;
  Shape ShapeOf(size_t begin) const;
  size_t BeginOf(uint32_t table) const;
  absl::string_view Text(uint32_t offset) const { return bytes_.data() + strings_ + offset; }

  std::string bytes_;
  size_t strings_ = 0;
  uint32_t table_count_ = 0;
};

// Writes a sheet. Tables are numbered when they begin, so that the root is 0, and finished in any
// order.
class DatasheetWriter final {
 public:
  uint32_t BeginTable();
  // Offset for a key or a value of type string. `text` has no NUL.
  uint32_t AddString(absl::string_view text);

  struct Item {
    DatasheetValue::Type type;
    uint32_t value;
  };
  struct Entry {
    uint32_t key;
    Item item;
  };
  void FinishTable(uint32_t table, const std::vector<Item>& array,
                   const std::vector<Entry>& dict);

  // Every table is finished.
  std::string Finish() const;

 private:
  std::vector<uint32_t> places_;
  std::string tables_;
  std::string strings_;
  std::map<std::string, uint32_t, std::less<>> offsets_;
};

}  // namespace skysim

#endif  // ENGINE_WIRE_DATASHEET_H_
