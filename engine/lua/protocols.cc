#include "engine/lua/protocols.h"

#include "engine/lua/seri_lua.h"

namespace skysim {

namespace {

// A reference to the function in field `name` of the table at `index`.
int FunctionField(lua_State* L, int index, const char* name) {
  int type = lua_getfield(L, index, name);
  if (type == LUA_TFUNCTION) return luaL_ref(L, LUA_REGISTRYINDEX);
  if (type != LUA_TNIL) luaL_error(L, "register_protocol: %s must be a function", name);
  lua_pop(L, 1);
  return LUA_NOREF;
}

bool IsCFunction(lua_State* L, int ref, lua_CFunction function) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
  bool is = lua_tocfunction(L, -1) == function;
  lua_pop(L, 1);
  return is;
}

}  // namespace

Protocols::Protocols(lua_State* L) {
  lua_newtable(L);
  names_ref_ = luaL_ref(L, LUA_REGISTRYINDEX);
}

void Protocols::Register(lua_State* L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  lua_getfield(L, index, "id");
  if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0 || lua_tointeger(L, -1) > 255) {
    luaL_error(L, "register_protocol: id must be an integer in [0,255]");
  }
  int id = static_cast<int>(lua_tointeger(L, -1));
  lua_pop(L, 1);
  if (lua_getfield(L, index, "name") != LUA_TSTRING) {
    luaL_error(L, "register_protocol: name must be a string");
  }
  if (const Protocol* taken = Find(id)) {
    luaL_error(L, "register_protocol: id %d is taken by %s", id, taken->name.c_str());
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, names_ref_);
  lua_pushvalue(L, -2);
  if (lua_rawget(L, -2) != LUA_TNIL) {
    luaL_error(L, "register_protocol: name %s is taken", lua_tostring(L, -3));
  }
  lua_pop(L, 1);

  auto protocol = std::make_unique<Protocol>();
  protocol->name = lua_tostring(L, -2);
  protocol->id = id;
  protocol->pack = FunctionField(L, index, "pack");
  protocol->unpack = FunctionField(L, index, "unpack");
  protocol->dispatch = FunctionField(L, index, "dispatch");
  protocol->packs_seri = IsCFunction(L, protocol->pack, SeriPack);
  protocol->unpacks_seri = IsCFunction(L, protocol->unpack, SeriUnpack);
  if (lua_getfield(L, index, "trace") != LUA_TNIL) {
    protocol->trace = lua_toboolean(L, -1) ? Protocol::Trace::kOn : Protocol::Trace::kOff;
  }
  lua_pop(L, 1);

  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, protocol.get());
  lua_rawset(L, -3);
  lua_pop(L, 2);
  protocols_.push_back(std::move(protocol));
  place_of_[id] = static_cast<uint16_t>(protocols_.size());
}

Protocol* Protocols::Find(lua_State* L, int index) {
  if (lua_isinteger(L, index)) return Find(static_cast<int>(lua_tointeger(L, index)));
  if (lua_type(L, index) != LUA_TSTRING) return nullptr;
  lua_rawgeti(L, LUA_REGISTRYINDEX, names_ref_);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  auto* protocol = static_cast<Protocol*>(lua_touserdata(L, -1));
  lua_pop(L, 2);
  return protocol;
}

Protocol& Protocols::Check(lua_State* L, int index) {
  Protocol* protocol = Find(L, index);
  if (protocol == nullptr) {
    luaL_error(L, "no protocol %s is registered", luaL_tolstring(L, index, nullptr));
  }
  return *protocol;
}

void Protocols::ReplaceDispatch(lua_State* L, Protocol& protocol, int index) {
  lua_pushvalue(L, index);
  int fresh = lua_isnil(L, -1) ? (lua_pop(L, 1), LUA_NOREF) : luaL_ref(L, LUA_REGISTRYINDEX);
  lua_rawgeti(L, LUA_REGISTRYINDEX, protocol.dispatch);
  luaL_unref(L, LUA_REGISTRYINDEX, protocol.dispatch);
  protocol.dispatch = fresh;
}

}  // namespace skysim
