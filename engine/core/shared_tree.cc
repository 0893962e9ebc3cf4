#include "engine/core/shared_tree.h"

#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace skysim {

// A value of the block: 16 bytes. A text is where it begins in text_, and its length.
struct SharedTree::Builder::Cell {
  uint64_t bits;
  uint32_t length;
  Type type;
};

struct SharedTree::Builder::Entry {
  Cell key;
  Cell value;
};

// A table. Its slots are a power of two, at least half of them empty; none if it has no entries.
struct SharedTree::Builder::Node {
  uint32_t array_begin;
  uint32_t array_size;
  uint32_t entry_begin;
  uint32_t entry_count;
  uint32_t slot_begin;
  uint32_t slot_count;
};

namespace {

bool HasText(SharedTree::Type type) {
  return type == SharedTree::Type::kString || type == SharedTree::Type::kFunction;
}

uint64_t Mix(uint64_t h) {
  h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

// Nobody sees an order that depends on it. Eight bytes at a time: keys are short.
uint64_t HashOf(const SharedTree::Value& key) {
  if (!HasText(key.type)) return Mix(key.bits + static_cast<uint64_t>(key.type));
  const char* at = key.text.data();
  size_t left = key.text.size();
  uint64_t h = left;
  while (left > 0) {
    const size_t step = left < 8 ? left : 8;
    uint64_t word = 0;
    std::memcpy(&word, at, step);
    h = Mix(h ^ word);
    at += step;
    left -= step;
  }
  return h;
}

uint32_t Checked32(size_t count) {
  CHECK_LT(count, size_t{UINT32_MAX}) << "a shared tree has too many values";
  return static_cast<uint32_t>(count);
}

template <typename T>
const T* Put(char*& at, const std::vector<T>& items) {
  if (!items.empty()) std::memcpy(at, items.data(), items.size() * sizeof(T));
  const T* begin = reinterpret_cast<const T*>(at);
  at += items.size() * sizeof(T);
  return begin;
}

}  // namespace

SharedTree::Value SharedTree::Float(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return {Type::kFloat, bits, {}};
}

double SharedTree::FloatOf(const Value& value) {
  double number;
  std::memcpy(&number, &value.bits, sizeof(number));
  return number;
}

SharedTree::Value SharedTree::Pointer(const void* address) {
  return {Type::kPointer, reinterpret_cast<uintptr_t>(address), {}};
}

// -- Making one -----------------------------------------------------------------------------------

SharedTree::Builder::Builder() = default;
SharedTree::Builder::Builder(Builder&&) = default;
SharedTree::Builder& SharedTree::Builder::operator=(Builder&&) = default;
SharedTree::Builder::~Builder() = default;

void SharedTree::Builder::Store(const Value& value, Cell& cell) {
  std::memset(&cell, 0, sizeof(cell));
  cell.type = value.type;
  cell.bits = value.bits;
  if (value.type == Type::kTable) CHECK_LT(value.bits, nodes_.size()) << "a child comes first";
  if (!HasText(value.type)) return;
  cell.length = Checked32(value.text.size());
  const auto [found, is_new] = offsets_.try_emplace(std::string(value.text), text_.size());
  if (is_new) text_.append(value.text.data(), value.text.size());
  cell.bits = found->second;
}

uint32_t SharedTree::Builder::AddTable(const std::vector<Value>& array,
                                       const std::vector<Field>& fields) {
  Node node{};
  node.array_begin = Checked32(cells_.size());
  node.array_size = Checked32(array.size());
  for (const Value& value : array) {
    Cell cell;
    Store(value, cell);
    cells_.push_back(cell);
  }
  node.entry_begin = Checked32(entries_.size());
  node.entry_count = Checked32(fields.size());
  for (const Field& field : fields) {
    Entry entry;
    Store(field.key, entry.key);
    Store(field.value, entry.value);
    entries_.push_back(entry);
  }
  node.slot_begin = Checked32(slots_.size());
  if (!fields.empty()) {
    node.slot_count = 2;
    while (node.slot_count < 2 * fields.size()) node.slot_count *= 2;
  }
  slots_.resize(slots_.size() + node.slot_count, 0);
  uint32_t* slots = slots_.data() + node.slot_begin;
  for (uint32_t i = 0; i < node.entry_count; ++i) {
    uint64_t slot = HashOf(fields[i].key);
    while (slots[slot & (node.slot_count - 1)] != 0) ++slot;
    slots[slot & (node.slot_count - 1)] = i + 1;
  }
  nodes_.push_back(node);
  return Checked32(nodes_.size()) - 1;
}

std::shared_ptr<SharedTree> SharedTree::Builder::Finish(Memory& memory) {
  CHECK(!nodes_.empty()) << "a tree has a root";
  std::shared_ptr<SharedTree> tree(new SharedTree);
  tree->memory_ = &memory;
  tree->table_count_ = Checked32(nodes_.size());
  tree->bytes_ = entries_.size() * sizeof(Entry) + cells_.size() * sizeof(Cell) +
                 nodes_.size() * sizeof(Node) + slots_.size() * sizeof(uint32_t) + text_.size();
  tree->block_ = static_cast<char*>(memory.Allocate(tree->bytes_));
  char* at = tree->block_;
  tree->entries_ = Put(at, entries_);  // the widest alignment first
  tree->cells_ = Put(at, cells_);
  tree->nodes_ = Put(at, nodes_);
  tree->slots_ = Put(at, slots_);
  if (!text_.empty()) std::memcpy(at, text_.data(), text_.size());
  tree->text_ = at;
  *this = Builder();
  return tree;
}

SharedTree::~SharedTree() { memory_->Free(block_); }

// -- Reading --------------------------------------------------------------------------------------

SharedTree::Value SharedTree::Load(const Builder::Cell& cell) const {
  if (!HasText(cell.type)) return {cell.type, cell.bits, {}};
  return {cell.type, 0, absl::string_view(text_ + cell.bits, cell.length)};
}

SharedTree::Value SharedTree::Find(uint32_t table, const Value& key) const {
  DCHECK_LT(table, table_count_);
  const Builder::Node& node = nodes_[table];
  if (key.type == Type::kInteger && key.bits - 1 < node.array_size) {
    return Load(cells_[node.array_begin + key.bits - 1]);
  }
  if (node.slot_count == 0) return {};
  const uint32_t* slots = slots_ + node.slot_begin;
  for (uint64_t slot = HashOf(key);; ++slot) {
    const uint32_t found = slots[slot & (node.slot_count - 1)];
    if (found == 0) return {};
    const Builder::Entry& entry = entries_[node.entry_begin + found - 1];
    if (Load(entry.key) == key) return Load(entry.value);
  }
}

uint32_t SharedTree::array_size(uint32_t table) const { return nodes_[table].array_size; }

uint32_t SharedTree::size(uint32_t table) const {
  return nodes_[table].array_size + nodes_[table].entry_count;
}

SharedTree::Field SharedTree::At(uint32_t table, uint32_t place) const {
  const Builder::Node& node = nodes_[table];
  DCHECK_LT(place, node.array_size + node.entry_count);
  if (place < node.array_size) {
    return {Integer(int64_t{place} + 1), Load(cells_[node.array_begin + place])};
  }
  const Builder::Entry& entry = entries_[node.entry_begin + place - node.array_size];
  return {Load(entry.key), Load(entry.value)};
}

}  // namespace skysim
