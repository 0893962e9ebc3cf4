// Any bytes: they are refused, or every table that can be reached can be read, and what was read
// can be written again as a sheet that is not refused.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "engine/wire/datasheet.h"

namespace skysim {
namespace {

DatasheetWriter::Item ItemOf(const DatasheetValue& value, DatasheetWriter& writer) {
  const bool is_text = value.type == DatasheetValue::Type::kString;
  return {value.type, is_text ? writer.AddString(value.text) : value.bits};
}

void Check(absl::string_view bytes) {
  const absl::StatusOr<Datasheet> sheet = Datasheet::Parse(std::string(bytes));
  if (!sheet.ok()) return;
  std::set<uint32_t> seen = {Datasheet::kRoot};
  std::vector<uint32_t> left = {Datasheet::kRoot};
  DatasheetWriter writer;
  for (uint32_t table = 0; table < bytes.size() / 4; ++table) writer.BeginTable();
  while (!left.empty()) {
    const uint32_t table = left.back();
    left.pop_back();
    CHECK(sheet->HasTable(table));
    std::vector<DatasheetWriter::Item> array;
    std::vector<DatasheetWriter::Entry> dict;
    for (uint32_t place = 0; place < sheet->size(table); ++place) {
      const Datasheet::Field field = sheet->At(table, place);
      const DatasheetWriter::Item item = ItemOf(field.value, writer);
      if (item.type == DatasheetValue::Type::kTable && seen.insert(item.value).second) {
        left.push_back(item.value);
      }
      if (field.is_item) {
        array.push_back(item);
      } else {
        dict.push_back({writer.AddString(field.key), item});
      }
    }
    writer.FinishTable(table, array, dict);
  }
  CHECK_OK(Datasheet::Parse(writer.Finish()).status());
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  skysim::Check(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
