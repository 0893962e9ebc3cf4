#include "simnet/scenario/configuration.h"

#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace skysim {
namespace {

using Json = nlohmann::json;

constexpr char kEndOfConfiguration[] = "\n}\n";

// A quick network, a wide one and one with a long tail; few workers, where services wait for each
// other, and many; cheap dispatches and ones that load a node.
const std::vector<Json>& Delays() {
  static const auto* const delays = new std::vector<Json>{
      Json{{"uniform", {"50us", "500us"}}},
      Json{{"uniform", {"1ms", "50ms"}}},
      Json{{"exponential", {"500us", "5ms", "200ms"}}},
  };
  return *delays;
}

const std::vector<Json>& Workers() {
  static const auto* const workers = new std::vector<Json>{1, 2, 4, 8};
  return *workers;
}

const std::vector<Json>& DispatchCosts() {
  static const auto* const costs = new std::vector<Json>{"1us", "50us", "200us"};
  return *costs;
}

// One of `values`, or with choice 0 what `slot` is.
void Draw(ChoiceSource& choices, absl::string_view stream, const std::vector<Json>& values,
          Json& slot) {
  uint64_t choice = choices.Choose(choices.Stream(stream), values.size() + 1);
  if (choice > 0) slot = values[choice - 1];
}

std::string Compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Numbers under 1, 2, ...: a list.
bool IsList(lua_State* L, int index) { return lua_rawlen(L, index) > 0; }

Json ListOf(lua_State* L, int index) {
  Json list = Json::array();
  const auto size = static_cast<lua_Integer>(lua_rawlen(L, index));
  for (lua_Integer i = 1; i <= size; ++i) {
    lua_geti(L, index, i);
    list.push_back(JsonOf(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return list;
}

Json ObjectOf(lua_State* L, int index) {
  Json object = Json::object();
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    CHECK_EQ(lua_type(L, -2), LUA_TSTRING);
    object[lua_tostring(L, -2)] = JsonOf(L, lua_gettop(L));
  }
  return object;
}

}  // namespace

void DrawSwarm(ChoiceSource& choices, Json& configuration) {
  Json& nemesis = configuration["nemesis"];
  std::vector<std::string> off;
  for (const auto& [name, entry] : nemesis.items()) {
    bool is_family = entry.is_object();
    StreamId stream = is_family ? choices.Stream(absl::StrCat("swarm/off/", name)) : 0;
    if (is_family && choices.ChooseOneIn(stream, 1, 2)) off.push_back(name);
  }
  for (const std::string& name : off) nemesis.erase(name);
  Draw(choices, "swarm/delay", Delays(), configuration["network"]["delay"]);
  if (configuration["network"]["delay"].is_null()) configuration["network"].erase("delay");
  Draw(choices, "swarm/workers", Workers(), configuration["workers"]);
  Draw(choices, "swarm/cpu", DispatchCosts(), configuration["cpu"]);
}

absl::Status GiveConfiguration(absl::string_view given, Json& configuration) {
  Json entries = Json::parse(given.begin(), given.end(), nullptr, /*allow_exceptions=*/false);
  if (entries.is_discarded()) return absl::InvalidArgumentError("this is no JSON");
  if (!entries.is_object()) {
    return absl::InvalidArgumentError("a configuration is an object, {...}");
  }
  for (const auto& [key, entry] : entries.items()) {
    if (!configuration.contains(key)) {
      std::vector<std::string> known;
      for (const auto& item : configuration.items()) known.push_back(item.key());
      return absl::InvalidArgumentError(absl::StrCat(
          "a configuration has no ", key, "; there are: ", absl::StrJoin(known, ", ")));
    }
    if (entry.type() != configuration[key].type() && (key == "nemesis" || key == "network")) {
      return absl::InvalidArgumentError(absl::StrCat(key, " is an object, {...}"));
    }
    configuration[key] = entry;
  }
  return absl::OkStatus();
}

std::string FormatConfiguration(const Json& configuration) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : configuration.items()) {
    std::string name = absl::StrCat("  ", Compact(Json(key)), ": ");
    if (key != "nemesis" || value.empty()) {
      lines.push_back(name + Compact(value));
      continue;
    }
    std::vector<std::string> inner;
    for (const auto& [family, entry] : value.items()) {
      inner.push_back(absl::StrCat("    ", Compact(Json(family)), ": ", Compact(entry)));
    }
    lines.push_back(absl::StrCat(name, "{\n", absl::StrJoin(inner, ",\n"), "\n  }"));
  }
  return absl::StrCat("{\n", absl::StrJoin(lines, ",\n"), kEndOfConfiguration);
}

std::string JoinConfiguration(absl::string_view formatted, absl::string_view nodes) {
  return absl::StrCat(formatted, nodes);
}

std::string ConfigurationIn(absl::string_view traced) {
  size_t end = traced.find(kEndOfConfiguration);
  if (traced.substr(0, 2) != "{\n" || end == absl::string_view::npos) return "";
  return std::string(traced.substr(0, end + sizeof(kEndOfConfiguration) - 1));
}

Json JsonOf(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
      return lua_toboolean(L, index) != 0;
    case LUA_TNUMBER:
      CHECK(lua_isinteger(L, index));
      return lua_tointeger(L, index);
    case LUA_TSTRING: {
      size_t size = 0;
      const char* text = lua_tolstring(L, index, &size);
      return std::string(text, size);
    }
    case LUA_TTABLE:
      luaL_checkstack(L, 4, "a configuration is too deep");
      return IsList(L, index) ? ListOf(L, index) : ObjectOf(L, index);
  }
  CHECK(false) << "no configuration: a " << luaL_typename(L, index);
  return Json();
}

void PushJson(lua_State* L, const Json& value) {
  luaL_checkstack(L, 4, "a configuration is too deep");
  if (value.is_object()) {
    lua_newtable(L);
    for (const auto& [key, entry] : value.items()) {
      PushJson(L, entry);
      lua_setfield(L, -2, key.c_str());
    }
  } else if (value.is_array()) {
    lua_newtable(L);
    lua_Integer count = 0;
    for (const Json& entry : value) {
      PushJson(L, entry);
      lua_seti(L, -2, ++count);
    }
  } else if (value.is_boolean()) {
    lua_pushboolean(L, value.get<bool>() ? 1 : 0);
  } else if (value.is_number_integer()) {
    lua_pushinteger(L, value.get<lua_Integer>());
  } else if (value.is_null()) {
    lua_pushnil(L);
  } else {
    const std::string text = value.is_string() ? value.get<std::string>() : Compact(value);
    lua_pushlstring(L, text.data(), text.size());
  }
}

}  // namespace skysim
