#include "simnet/scenario/service_module.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/vm.h"
#include "simnet/scenario/checks_module.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/story_tasks.h"

namespace skysim {
namespace {

absl::string_view CheckText(lua_State* L, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return absl::string_view(text, size);
}

std::optional<PropertyKind> KindOf(absl::string_view name) {
  for (PropertyKind kind : {PropertyKind::kAlways, PropertyKind::kSometimes,
                            PropertyKind::kEventually, PropertyKind::kReachable}) {
    if (ToString(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<ClaimKind> ClaimOf(absl::string_view name) {
  for (ClaimKind claim : {ClaimKind::kGuarantee, ClaimKind::kAllowed, ClaimKind::kLiveness,
                          ClaimKind::kUsual}) {
    if (ToString(claim) == name) return claim;
  }
  return std::nullopt;
}

// probe(name, ...)
int ProbeFunction(lua_State* L) {
  Director& director = DirectorOf(L);
  VmContext& vm = VmOf(L);
  std::string name(CheckText(L, 1));
  SeriBuffer packed(vm.platform->memory);
  PackValues(L, 2, packed);
  Probe probe;
  probe.name = name;
  probe.node = vm.node->name();
  probe.service = vm.service->handle();
  probe.start = director.StartsOf(probe.node);
  probe.packed = std::string(packed.view());
  Event event{EventKind::kProbe};
  event.service = probe.service;
  event.size = probe.packed.size();
  event.cause = vm.service->cause();
  event.text = probe.name;
  event.bytes = probe.packed;
  vm.platform->observer.Record(event);
  director.PostProbe(std::move(probe));
  return 0;
}

// The loader of a preloaded module whose table is its upvalue.
int ReturnUpvalue(lua_State* L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

}  // namespace

Director& DirectorOf(lua_State* L) {
  return *static_cast<Director*>(lua_touserdata(L, lua_upvalueindex(1)));
}

int JudgeFunction(lua_State* L) {
  Director& director = DirectorOf(L);
  std::optional<PropertyKind> kind = KindOf(CheckText(L, 1));
  std::optional<ClaimKind> claim = ClaimOf(CheckText(L, 2));
  CHECK(kind.has_value() && claim.has_value());
  Director::Judgement judgement{*kind, *claim, std::string(CheckText(L, 3)),
                                lua_toboolean(L, 4) != 0, std::string(CheckText(L, 5))};
  VmContext& vm = VmOf(L);
  if (vm.service != nullptr) {
    director.PostJudgement(vm.platform->observer, vm.service->handle(), std::move(judgement),
                           PlaceOf(L));
    return 0;
  }
  absl::Status status = director.Judge(judgement);
  if (!status.ok()) Raise(L, status.message());
  return 0;
}

int DeclareFunction(lua_State* L) {
  Director& director = DirectorOf(L);
  std::optional<PropertyKind> kind = KindOf(CheckText(L, 1));
  std::optional<ClaimKind> claim = ClaimOf(CheckText(L, 2));
  CHECK(kind.has_value() && claim.has_value());
  std::string name(CheckText(L, 3));
  if (VmOf(L).service != nullptr) {
    director.PostDeclaration(*kind, *claim, std::move(name), PlaceOf(L));
    return 0;
  }
  absl::Status status = director.Declare(*kind, *claim, name);
  if (!status.ok()) Raise(L, status.message());
  return 0;
}

int SettingFunction(lua_State* L) {
  const std::string* value = DirectorOf(L).FindSetting(std::string(CheckText(L, 1)));
  if (value == nullptr) return 0;
  lua_pushlstring(L, value->data(), value->size());
  return 1;
}

int LegacyFunction(lua_State* L) {
  absl::StatusOr<bool> is_on = DirectorOf(L).HasLegacy(std::string(CheckText(L, 1)));
  if (!is_on.ok()) Raise(L, is_on.status().message());
  lua_pushboolean(L, *is_on);
  return 1;
}

int ComplainFunction(lua_State* L) { Raise(L, CheckText(L, 1)); }

void SetFunctions(lua_State* L, const luaL_Reg* functions, Director& director) {
  lua_pushlightuserdata(L, &director);
  luaL_setfuncs(L, functions, 1);
}

void PreloadCore(lua_State* L) {
  lua_pushcclosure(L, &ReturnUpvalue, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_insert(L, -2);
  lua_setfield(L, -2, "sim.core");
  lua_pop(L, 1);
}

void PreloadServiceModule(lua_State* L, Director& director) {
  static constexpr luaL_Reg kFunctions[] = {
      {"probe", &ProbeFunction},
      {"judge", &JudgeFunction},
      {"declare", &DeclareFunction},
      {"setting", &SettingFunction},
      {"legacy", &LegacyFunction},
      {"complain", &ComplainFunction},
      {nullptr, nullptr},
  };
  lua_newtable(L);
  SetFunctions(L, kFunctions, director);
  AddServiceChecks(L, director);
  lua_pushliteral(L, "service");
  lua_setfield(L, -2, "role");
  PreloadCore(L);
}

}  // namespace skysim
