#ifndef ENGINE_LUA_SHARED_TREE_MODULE_H_
#define ENGINE_LUA_SHARED_TREE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Tables nested deeper than this are refused; each level costs a C++ frame.
constexpr int kSharedTreeDepthMax = 200;

// Module `skynet.sharedtree`: what skynet.sharedata and skynet.sharetable are made of. Only in a
// service: the trees are the node's.
//
//   data(table) -> handle      a tree of the table: keys strings and integers; values booleans,
//                              numbers, strings, tables. Of metatables only __pairs counts. Raises
//                              `Invalid key %f`, `Invalid key type %s`, `Invalid value type %s`,
//                              with the path of the table, and for cycles and deep nesting
//   table(table) -> handle     the same for skynet.sharetable: any key but tables and functions;
//                              also light userdata and functions without upvalues. Raises `Can't
//                              share metatable`, `Invalid type [%s]`, `Not a table, it's a %s.`
//   id(handle) -> light userdata       for a message
//   find(light userdata) -> handle     nil if no service holds the tree any more
//   dataview(handle), tableview(handle) -> view     of the root (shared_view.h)
//   switch(view, handle)       the view of a root shows another tree from now on
//   copy(handle, keys...) -> value     a plain copy of the value at that path; nil if there is none
int OpenSharedTree(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_SHARED_TREE_MODULE_H_
