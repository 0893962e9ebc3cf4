#ifndef ENGINE_LUA_PROTOCOLS_H_
#define ENGINE_LUA_PROTOCOLS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// One message type as a service understands it (skynet.register_protocol). The Lua functions are
// references into the registry; LUA_NOREF = not given.
struct Protocol {
  enum class Trace { kDefault, kOn, kOff };

  std::string name;
  int id = 0;
  int pack = LUA_NOREF;
  int unpack = LUA_NOREF;
  int dispatch = LUA_NOREF;
  // The functions are ours (skynet.pack, skynet.unpack): no call into Lua is needed.
  bool packs_seri = false;
  bool unpacks_seri = false;
  Trace trace = Trace::kDefault;
};

// Protocols are the message types of one service, by number and by name. One VM, one thread.
class Protocols final {
 public:
  explicit Protocols(lua_State* L);

  // Registers the table at `index` {name, id, pack, unpack, dispatch, trace}. Raises on a bad field
  // or a name or id that is taken.
  void Register(lua_State* L, int index);

  // Null if nobody registered the number.
  Protocol* Find(int id) {
    uint16_t place = place_of_[id & 0xff];
    return place == 0 ? nullptr : protocols_[place - 1].get();
  }

  // The protocol named (string) or numbered (integer) at `index`. Raises if there is none.
  Protocol& Check(lua_State* L, int index);
  // Null instead of raising.
  Protocol* Find(lua_State* L, int index);

  // Replaces the dispatch function by the one at `index` (nil: none) and pushes the old one, or
  // nil.
  void ReplaceDispatch(lua_State* L, Protocol& protocol, int index);

 private:
  // Few of the 256 numbers are in use, and there are many services.
  std::vector<std::unique_ptr<Protocol>> protocols_;
  std::array<uint16_t, 256> place_of_ = {};  // by number: place in protocols_ + 1, 0 = none
  int names_ref_;  // registry: table name -> light userdata Protocol*
};

}  // namespace skysim

#endif  // ENGINE_LUA_PROTOCOLS_H_
