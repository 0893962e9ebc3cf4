#include "engine/wire/datasheet.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

using Type = DatasheetValue::Type;

// { 7, "x", sub = { yes = true } }
std::string Sheet() {
  DatasheetWriter writer;
  const uint32_t root = writer.BeginTable();
  const uint32_t sub = writer.BeginTable();
  const uint32_t yes = writer.AddString("yes");
  const uint32_t x = writer.AddString("x");
  const uint32_t sub_key = writer.AddString("sub");
  writer.FinishTable(sub, {}, {{yes, {Type::kBoolean, 1}}});
  writer.FinishTable(root, {{Type::kInteger, 7}, {Type::kString, x}},
                     {{sub_key, {Type::kTable, sub}}});
  return writer.Finish();
}

std::string Refusal(std::string bytes) {
  return std::string(Datasheet::Parse(std::move(bytes)).status().message());
}

std::string With(std::string bytes, size_t at, char byte) {
  bytes[at] = byte;
  return bytes;
}

TEST_CASE("a datasheet is laid out as its format says") {
  CHECK(absl::BytesToHexString(Sheet()) ==
        "40000000" "02000000" "14000000" "00000000"            // strings, n, places
        "00000000" "01000000" "03000000" "00000000" "01000000"  // sub
        "02000000" "01000000" "01050400" "07000000" "04000000" "06000000" "01000000"  // root
        "796573007800" "73756200");
}

TEST_CASE("a datasheet reads as it was written") {
  const auto sheet = Datasheet::Parse(Sheet());

  REQUIRE(sheet.ok());
  REQUIRE(sheet->size(Datasheet::kRoot) == 3);
  CHECK(sheet->At(0, 0).is_item);
  CHECK(sheet->At(0, 0).value.bits == 7);
  CHECK(sheet->At(0, 1).index == 2);
  CHECK(sheet->At(0, 1).value.text == "x");
  CHECK(sheet->At(0, 2).key == "sub");
  CHECK(sheet->At(0, 2).value.type == Type::kTable);
  CHECK(sheet->At(1, 0).key == "yes");
  CHECK(sheet->HasTable(1));
  CHECK_FALSE(sheet->HasTable(2));
}

TEST_CASE("a datasheet that is cut off anywhere is refused") {
  const std::string bytes = Sheet();
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK_FALSE(Refusal(bytes.substr(0, size)).empty());
  }
}

TEST_CASE("a datasheet says what is wrong with it") {
  const std::string bytes = Sheet();
  CHECK(Refusal("") == "Invalid datasheet: it has no head");
  CHECK(Refusal(With(bytes, 0, '\x7f')) == "Invalid datasheet: its parts overlap");
  CHECK(Refusal(With(bytes, 4, '\0')) == "Invalid datasheet: it has no root");
  CHECK(Refusal(With(bytes, 7, '\x7f')) == "Invalid datasheet: its parts overlap");
  CHECK(Refusal(With(bytes, 8, '\x40')) == "Invalid datasheet: table 0 is outside");
  CHECK(Refusal(With(bytes, 20, '\x7f')) == "Invalid datasheet: table 1 is cut off");
  CHECK(Refusal(With(bytes, 56, '\x7f')) == "Invalid datasheet: table 0 lacks a key");
  CHECK(Refusal(With(bytes, 44, '\6')) == "Invalid datasheet: table 0 has a value of type 6");
  CHECK(Refusal(With(bytes, 60, '\2')) == "Invalid datasheet: table 0 lacks table 2");
  CHECK(Refusal(With(bytes, 52, '\x40')) == "Invalid datasheet: table 0 lacks a string");
  CHECK(Refusal(With(bytes, bytes.size() - 1, 'x')) == "Invalid datasheet: a string has no end");
}

TEST_CASE("tables of a datasheet do not overlap, so that checking it takes one pass") {
  DatasheetWriter writer;
  writer.FinishTable(writer.BeginTable(), std::vector<DatasheetWriter::Item>(100), {});
  const std::string one = writer.Finish();
  std::string two = one.substr(0, 12) + one.substr(8);  // a second place for the same table
  two[0] = static_cast<char>(two[0] + 4);
  two[4] = 2;

  CHECK(Refusal(one).empty());
  CHECK(Refusal(two) == "Invalid datasheet: tables overlap");
}

}  // namespace
}  // namespace skysim
