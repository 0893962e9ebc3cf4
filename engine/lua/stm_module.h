#ifndef ENGINE_LUA_STM_MODULE_H_
#define ENGINE_LUA_STM_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.stm`: bytes that one service writes and others read without messages.
//
//   new(string | ptr, size) -> writer       a block that is given is the writer's from then on
//   writer(string | ptr, size)              publishes the next version
//   copy(writer) -> light userdata          for a message to readers
//   newcopy(light userdata) -> reader       raises for what is no number of a writer
//   reader(f [, ud]) -> true, f(ptr, size, ud)     or false if there is nothing new since the last
//                                           read, or the writer is gone. The bytes stay until the
//                                           reader reads a newer version. f must not yield
int OpenStm(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_STM_MODULE_H_
