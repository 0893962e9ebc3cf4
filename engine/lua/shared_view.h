#ifndef ENGINE_LUA_SHARED_VIEW_H_
#define ENGINE_LUA_SHARED_VIEW_H_

#include <memory>

#include "engine/core/shared_tree.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// A view is how a service reads a SharedTree: a table for each table of the tree, which stays empty
// itself. What was read once lies in a plain table that is the __index of the view's metatable, so
// that reading it again is Lua's own work and calls nothing. That table belongs to the service: it
// holds copies of the numbers and strings, and the views of the sub-tables, that were read so far;
// pairs() reads all. So a service pays memory for what it touches, until it drops the root or
// flushes it.
//
// A view follows a path, not a table: SwitchView makes all views of a root show another tree, those
// in local variables too. One whose path is gone raises `The key [path] doesn't exist after update`
// when it is read, until a later tree has that path again. A pairs() under way goes on over the old
// contents.
//
// Assigning raises. Of Lua's functions that look past metatables, raw_access.h adapts those that
// would show a view as empty.

// How a view refuses assignments.
enum class ViewStyle {
  kData,   // skynet.sharedata: `Error newindex, the key [path]`
  kTable,  // skynet.sharetable: `attempt to change a shared table`
};

// Pushes a handle: userdata that owns `tree`.
void PushTreeHandle(lua_State* L, std::shared_ptr<SharedTree> tree);
// The tree of the handle at `index`; raises if that is no handle.
const std::shared_ptr<SharedTree>& CheckTree(lua_State* L, int index);

// Pushes a new view of the root of the handle at `index`.
void PushView(lua_State* L, int index, ViewStyle style);

// Makes the root view at `view`, and the views below it, show the tree of `handle`, and forget what
// was read. Raises if there is no root view. The former tree is let go of.
void SwitchView(lua_State* L, int view, int handle);

bool IsView(lua_State* L, int index);
// If the value at `index` is a view, pushes the table of its contents, complete, and returns true.
bool PushViewContents(lua_State* L, int index);

// Pushes a value of a tree that is no table; a function is loaded.
void PushTreeValue(lua_State* L, const SharedTree::Value& value);
// The value at `index` as a key of a tree. The text lives as long as the value.
SharedTree::Value ToTreeKey(lua_State* L, int index);

}  // namespace skysim

#endif  // ENGINE_LUA_SHARED_VIEW_H_
