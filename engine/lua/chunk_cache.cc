#include "engine/lua/chunk_cache.h"

#include <cstring>
#include <memory>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "engine/lua/vm.h"

namespace skysim {

ChunkCache::ChunkCache() = default;
ChunkCache::~ChunkCache() = default;

int ChunkCache::Load(lua_State* L, const std::shared_ptr<const std::string>& text,
                     const char* chunk_name, const char* mode) {
  DCHECK(LuaVm::SharesCode(L, code_)) << chunk_name;
  absl::string_view code = SkipFileStart(*text);
  bool is_binary = absl::StartsWith(code, absl::string_view(LUA_SIGNATURE, 1));
  bool is_allowed = mode == nullptr || std::strchr(mode, 't') != nullptr;
  if (!is_binary && is_allowed) {
    const FrozenChunk* compiled = Find(text, chunk_name).compiled;
    if (compiled != nullptr) return ThawChunk(L, *compiled);
  }
  return luaL_loadbufferx(L, code.data(), code.size(), chunk_name, mode);
}

void ChunkCache::Keep(lua_State* L, const std::shared_ptr<const std::string>& text,
                      const char* chunk_name) {
  const FrozenChunk* compiled = Find(text, chunk_name).compiled;
  if (compiled != nullptr) KeepThawed(L, *compiled);
}

const ChunkCache::Entry& ChunkCache::Find(const std::shared_ptr<const std::string>& text,
                                          absl::string_view chunk_name) {
  absl::MutexLock lock(&mutex_);
  auto known = entries_.try_emplace(chunk_name).first;
  for (const auto& entry : known->second) {
    if (entry->text == text || *entry->text == *text) return *entry;
  }
  known->second.push_back(std::make_unique<const Entry>(
      Entry{text, Compile(SkipFileStart(*text), known->first)}));
  return *known->second.back();
}

const FrozenChunk* ChunkCache::Compile(absl::string_view text, const std::string& chunk_name) {
  std::unique_ptr<lua_State, decltype(&lua_close)> vm(luaL_newstate(), &lua_close);
  CHECK(vm != nullptr) << "a Lua state to compile " << chunk_name << " needs memory";
  int status = luaL_loadbufferx(vm.get(), text.data(), text.size(), chunk_name.c_str(), "t");
  return status == LUA_OK ? FreezeChunk(vm.get(), code_) : nullptr;
}

absl::string_view SkipFileStart(absl::string_view text) {
  constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (absl::StartsWith(text, kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!absl::StartsWith(text, "#")) return text;
  size_t line_end = text.find('\n');
  if (line_end == absl::string_view::npos) return "\n";
  text.remove_prefix(line_end);
  bool is_binary = text.size() > 1 && text[1] == LUA_SIGNATURE[0];
  return is_binary ? text.substr(1) : text;
}

}  // namespace skysim
