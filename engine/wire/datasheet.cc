#include "engine/wire/datasheet.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/wire/byte_order.h"

namespace skysim {

namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint32_t kAbsent = 0xffffffff;
constexpr uint8_t kTypeMax = static_cast<uint8_t>(DatasheetValue::Type::kString);

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("Invalid datasheet: ", what));
}

void AppendWord(uint32_t word, std::string& out) {
  char bytes[4];
  PutLittleEndian(word, bytes);
  out.append(bytes, sizeof(bytes));
}

}  // namespace

// -- Reading --------------------------------------------------------------------------------------

absl::StatusOr<Datasheet> Datasheet::Parse(std::string bytes) {
  Datasheet sheet(std::move(bytes));
  absl::Status status = sheet.Check();
  if (!status.ok()) return status;
  return sheet;
}

uint32_t Datasheet::Word(size_t offset) const {
  return GetLittleEndian<uint32_t>(bytes_.data() + offset);
}

size_t Datasheet::BeginOf(uint32_t table) const {
  return kHeadBytes + 4 * size_t{table_count_} + Word(kHeadBytes + 4 * size_t{table});
}

Datasheet::Shape Datasheet::ShapeOf(size_t begin) const {
  return Shape{begin + 8, Word(begin), Word(begin + 4)};
}

absl::Status Datasheet::Check() {
  if (bytes_.size() < kHeadBytes) return Damaged("it has no head");
  strings_ = Word(0);
  table_count_ = Word(4);
  const size_t head = kHeadBytes + 4 * size_t{table_count_};
  if (strings_ > bytes_.size() || head > strings_) return Damaged("its parts overlap");
  if (table_count_ == 0 || Word(kHeadBytes) == kAbsent) return Damaged("it has no root");
  if (strings_ < bytes_.size() && bytes_.back() != '\0') return Damaged("a string has no end");
  size_t bytes_left = strings_ - head;  // so that a hostile sheet cannot make us read it n times
  for (uint32_t table = 0; table < table_count_; ++table) {
    if (Word(kHeadBytes + 4 * size_t{table}) == kAbsent) continue;
    const size_t begin = BeginOf(table);
    if (begin + 8 > strings_) return Damaged(absl::StrCat("table ", table, " is outside"));
    const Shape shape = ShapeOf(begin);
    if (shape.end() > strings_) return Damaged(absl::StrCat("table ", table, " is cut off"));
    if (shape.end() - begin > bytes_left) return Damaged("tables overlap");
    bytes_left -= shape.end() - begin;
    absl::Status status = CheckTable(table, shape);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Datasheet::CheckTable(uint32_t table, const Shape& shape) const {
  const size_t strings_size = bytes_.size() - strings_;
  for (size_t place = 0; place < size_t{shape.array} + shape.dict; ++place) {
    const auto type = static_cast<uint8_t>(bytes_[shape.begin + place]);
    size_t at = shape.values() + 4 * place;
    if (place >= shape.array) {
      at = shape.values() + 4 * size_t{shape.array} + 8 * (place - shape.array);
      if (Word(at) >= strings_size) return Damaged(absl::StrCat("table ", table, " lacks a key"));
      at += 4;
    }
    const uint32_t bits = Word(at);
    if (type > kTypeMax) {
      return Damaged(absl::StrCat("table ", table, " has a value of type ", type));
    }
    switch (static_cast<DatasheetValue::Type>(type)) {
      case DatasheetValue::Type::kTable:
        if (bits >= table_count_ || Word(kHeadBytes + 4 * size_t{bits}) == kAbsent) {
          return Damaged(absl::StrCat("table ", table, " lacks table ", bits));
        }
        break;
      case DatasheetValue::Type::kString:
        if (bits >= strings_size) return Damaged(absl::StrCat("table ", table, " lacks a string"));
        break;
      default: break;
    }
  }
  return absl::OkStatus();
}

bool Datasheet::HasTable(uint64_t table) const {
  return table < table_count_ && Word(kHeadBytes + 4 * static_cast<size_t>(table)) != kAbsent;
}

uint32_t Datasheet::size(uint32_t table) const {
  const Shape shape = ShapeOf(BeginOf(table));
  return shape.array + shape.dict;
}

Datasheet::Field Datasheet::At(uint32_t table, uint32_t place) const {
  const Shape shape = ShapeOf(BeginOf(table));
  DCHECK_LT(place, shape.array + shape.dict);
  Field field;
  field.is_item = place < shape.array;
  size_t at = shape.values() + 4 * size_t{place};
  if (field.is_item) {
    field.index = place + 1;
  } else {
    at = shape.values() + 4 * size_t{shape.array} + 8 * size_t{place - shape.array};
    field.key = Text(Word(at));
    at += 4;
  }
  field.value.type = static_cast<DatasheetValue::Type>(bytes_[shape.begin + place]);
  field.value.bits = Word(at);
  if (field.value.type == DatasheetValue::Type::kString) field.value.text = Text(field.value.bits);
  return field;
}

// -- Writing --------------------------------------------------------------------------------------

uint32_t DatasheetWriter::BeginTable() {
  places_.push_back(kAbsent);
  return static_cast<uint32_t>(places_.size() - 1);
}

uint32_t DatasheetWriter::AddString(absl::string_view text) {
  const auto found = offsets_.find(text);
  if (found != offsets_.end()) return found->second;
  const auto offset = static_cast<uint32_t>(strings_.size());
  offsets_.emplace(std::string(text), offset);
  strings_.append(text.data(), text.size());
  strings_ += '\0';
  return offset;
}

void DatasheetWriter::FinishTable(uint32_t table, const std::vector<Item>& array,
                                  const std::vector<Entry>& dict) {
  CHECK_EQ(places_[table], kAbsent) << "a table is finished once";
  places_[table] = static_cast<uint32_t>(tables_.size());
  AppendWord(static_cast<uint32_t>(array.size()), tables_);
  AppendWord(static_cast<uint32_t>(dict.size()), tables_);
  for (const Item& item : array) tables_ += static_cast<char>(item.type);
  for (const Entry& entry : dict) tables_ += static_cast<char>(entry.item.type);
  while (tables_.size() % 4 != 0) tables_ += '\0';
  for (const Item& item : array) AppendWord(item.value, tables_);
  for (const Entry& entry : dict) {
    AppendWord(entry.key, tables_);
    AppendWord(entry.item.value, tables_);
  }
}

std::string DatasheetWriter::Finish() const {
  std::string sheet;
  AppendWord(static_cast<uint32_t>(kHeadBytes + 4 * places_.size() + tables_.size()), sheet);
  AppendWord(static_cast<uint32_t>(places_.size()), sheet);
  for (uint32_t place : places_) AppendWord(place, sheet);
  return sheet + tables_ + strings_;
}

}  // namespace skysim
