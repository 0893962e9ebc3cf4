#ifndef ENGINE_LUA_CHUNK_CACHE_H_
#define ENGINE_LUA_CHUNK_CACHE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "tools/third_party/lua/frozen_chunk.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// ChunkCache compiles each Lua file once per process: services by the thousand load the same few
// files, and compiling them is most of what a new service costs. Owned by main, lent to every
// sandbox; must outlive their VMs. Any thread.
//
// The VMs also share the instructions and debug information of a chunk, a third of the memory of an
// idle service (tools/third_party/lua/frozen_chunk.h).
//
// A chunk is compiled in a VM of the cache's own, on the C heap, and the VM that asks only ever
// gets the compiled form. So the sequence of its allocations - the addresses that a service can see
// - does not depend on whether somebody loaded the file before. The same holds for a text that does
// not compile: the VM that asks always compiles it itself, and gets Lua's own message.
//
// A chunk is known by its name and its whole text: an edited file is another chunk. Nothing is ever
// forgotten, as in skynet's code cache.
class ChunkCache final {
 public:
  ChunkCache();
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  // As luaL_loadfilex with a file's content: pushes the chunk, or an error message. `text` may be a
  // binary chunk, which is loaded as it is. `L` belongs to a LuaVm with which code() is shared.
  int Load(lua_State* L, const std::shared_ptr<const std::string>& text, const char* chunk_name,
           const char* mode);

  // Makes what Load() of this text needs in `L` in advance (KeepThawed); nothing if it does not
  // compile. For a state that is going to be an image.
  void Keep(lua_State* L, const std::shared_ptr<const std::string>& text, const char* chunk_name);

  // For LuaVm::ShareCode.
  const ChunkRegion& code() const { return code_; }

 private:
  struct Entry {
    std::shared_ptr<const std::string> text;
    const FrozenChunk* compiled;  // null: does not compile
  };

  // The entry of a chunk, made if there is none. Good for the cache's life.
  const Entry& Find(const std::shared_ptr<const std::string>& text, absl::string_view chunk_name);
  const FrozenChunk* Compile(absl::string_view text, const std::string& chunk_name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  ChunkRegion code_;  // grows under the mutex
  // By chunk name; nearly always one text.
  absl::flat_hash_map<std::string, std::vector<std::unique_ptr<const Entry>>> entries_
      ABSL_GUARDED_BY(mutex_);
};

// What Lua's loader skips at the start of a file: a byte order mark, and a first line that begins
// with '#' (its end stays, so that the line numbers are right).
absl::string_view SkipFileStart(absl::string_view text);

}  // namespace skysim

#endif  // ENGINE_LUA_CHUNK_CACHE_H_
