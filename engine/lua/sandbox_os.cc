// The os library of the sandbox.
//
// In a simulation (fixed_utc) the calendar is computed here and not by the C library, which would
// ask the machine for its time zone.

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <ctime>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/lua/sandbox_state.h"

namespace skysim {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

int64_t FloorDivide(int64_t value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Days from 1970-01-01 to the first day of `month` (0..11) of `year`. Counts years from March, so
// that the leap day ends one: 153 days in each five months from there.
int64_t DaysToMonth(int64_t year, int month) {
  constexpr int64_t kDaysTo1970 = 719'468;  // from 0000-03-01
  if (month < 2) --year;
  int64_t months_from_march = (month + 10) % 12;
  int64_t days_in_year = (153 * months_from_march + 2) / 5;
  return 365 * year + FloorDivide(year, 4) - FloorDivide(year, 100) + FloorDivide(year, 400) +
         days_in_year - kDaysTo1970;
}

// The year that day `days` (from 1970-01-01) lies in.
int64_t YearOf(int64_t days) {
  constexpr int64_t kDaysPer400Years = 146'097;
  int64_t year = 1970 + FloorDivide(days, kDaysPer400Years) * 400 +
                 (days - FloorDivide(days, kDaysPer400Years) * kDaysPer400Years) / 366;
  while (DaysToMonth(year + 1, 0) <= days) ++year;
  return year;
}

// gmtime without the C library. False when the year does not fit into a tm.
bool BreakDownUtc(int64_t seconds, std::tm* time) {
  int64_t days = FloorDivide(seconds, kSecondsPerDay);
  auto second_of_day = static_cast<int>(seconds - days * kSecondsPerDay);
  int64_t year = YearOf(days);
  if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) return false;
  int month = 11;
  while (DaysToMonth(year, month) > days) --month;
  *time = std::tm();
  time->tm_year = static_cast<int>(year - 1900);
  time->tm_mon = month;
  time->tm_mday = static_cast<int>(days - DaysToMonth(year, month)) + 1;
  time->tm_hour = second_of_day / 3600;
  time->tm_min = second_of_day / 60 % 60;
  time->tm_sec = second_of_day % 60;
  time->tm_yday = static_cast<int>(days - DaysToMonth(year, 0));
  time->tm_wday = static_cast<int>((days % 7 + 7 + 4) % 7);  // 1970-01-01 was a Thursday
  return true;
}

// timegm without the C library: seconds for fields that may lie outside of their ranges.
int64_t SecondsOfUtc(const std::tm& time) {
  int64_t months = (int64_t{time.tm_year} + 1900) * 12 + time.tm_mon;
  int64_t year = FloorDivide(months, 12);
  int64_t days = DaysToMonth(year, static_cast<int>(months - year * 12)) + time.tm_mday - 1;
  return days * kSecondsPerDay + int64_t{time.tm_hour} * 3600 + int64_t{time.tm_min} * 60 +
         time.tm_sec;
}

bool BreakDown(int64_t seconds, bool as_utc, bool fixed_utc, std::tm* time) {
  if (fixed_utc) {
    if (!BreakDownUtc(seconds, time)) return false;
    time->tm_zone = as_utc ? "GMT" : "UTC";  // as glibc names them
    return true;
  }
  std::time_t t = seconds;
  return (as_utc ? gmtime_r(&t, time) : localtime_r(&t, time)) != nullptr;
}

void SetField(lua_State* L, const char* key, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, key);
}

// Into the table on top of the stack.
void SetTimeFields(lua_State* L, const std::tm& time) {
  SetField(L, "year", lua_Integer{time.tm_year} + 1900);
  SetField(L, "month", lua_Integer{time.tm_mon} + 1);
  SetField(L, "day", time.tm_mday);
  SetField(L, "hour", time.tm_hour);
  SetField(L, "min", time.tm_min);
  SetField(L, "sec", time.tm_sec);
  SetField(L, "yday", lua_Integer{time.tm_yday} + 1);
  SetField(L, "wday", lua_Integer{time.tm_wday} + 1);
  if (time.tm_isdst < 0) return;
  lua_pushboolean(L, time.tm_isdst);
  lua_setfield(L, -2, "isdst");
}

constexpr int kRequired = -1;

// A field of the table on top of the stack, less `less`, as an int.
int TimeField(lua_State* L, const char* key, int when_absent, int less) {
  int type = lua_getfield(L, -1, key);
  int is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (!is_integer) {
    if (type != LUA_TNIL) return luaL_error(L, "field '%s' is not an integer", key);
    if (when_absent == kRequired) return luaL_error(L, "field '%s' missing in date table", key);
    return when_absent;
  }
  bool fits = value >= 0 ? value - less <= INT_MAX : value >= INT_MIN + less;
  if (!fits) return luaL_error(L, "field '%s' is out-of-bound", key);
  return static_cast<int>(value - less);
}

// As a tm says it: -1 is "not known".
int DaylightField(lua_State* L) {
  int value = lua_getfield(L, -1, "isdst") == LUA_TNIL ? -1 : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

int64_t NowSeconds(lua_State* L) {
  return FloorDivide(SandboxOf(L).options.clock.WallNs(), kNsPerSecond);
}

// Reads the table on top of the stack, writes its fields back normalised.
int64_t TimeOfTable(lua_State* L) {
  constexpr char kNoTime[] = "time result cannot be represented in this installation";
  std::tm time = {};
  time.tm_year = TimeField(L, "year", kRequired, 1900);
  time.tm_mon = TimeField(L, "month", kRequired, 1);
  time.tm_mday = TimeField(L, "day", kRequired, 0);
  time.tm_hour = TimeField(L, "hour", 12, 0);
  time.tm_min = TimeField(L, "min", 0, 0);
  time.tm_sec = TimeField(L, "sec", 0, 0);
  time.tm_isdst = DaylightField(L);
  int64_t seconds;
  if (SandboxOf(L).options.fixed_utc) {
    seconds = SecondsOfUtc(time);
    if (!BreakDownUtc(seconds, &time)) luaL_error(L, kNoTime);
  } else {
    seconds = std::mktime(&time);
  }
  SetTimeFields(L, time);
  if (seconds == -1) luaL_error(L, kNoTime);  // how mktime fails; Lua refuses it everywhere
  return seconds;
}

int Time(lua_State* L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, NowSeconds(L));
    return 1;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushinteger(L, TimeOfTable(L));
  return 1;
}

// How long the conversion at the start of `text` (behind the '%') is; raises when there is no such.
size_t ConversionLength(lua_State* L, absl::string_view text) {
  constexpr absl::string_view kPlain = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";
  constexpr absl::string_view kWithE = "cCxXyY";
  constexpr absl::string_view kWithO = "deHImMSuUVwWy";
  if (!text.empty() && absl::StrContains(kPlain, text[0])) return 1;
  if (text.size() >= 2 && ((text[0] == 'E' && absl::StrContains(kWithE, text[1])) ||
                           (text[0] == 'O' && absl::StrContains(kWithO, text[1])))) {
    return 2;
  }
  luaL_argerror(L, 1, lua_pushfstring(L, "invalid conversion specifier '%%%s'", text.data()));
  return 0;
}

// `format` ends with a NUL.
void PushFormatted(lua_State* L, absl::string_view format, const std::tm& time) {
  constexpr size_t kItemBytesMax = 250;
  std::string text;
  while (!format.empty()) {
    size_t percent = format.find('%');
    text.append(format.data(), std::min(percent, format.size()));
    if (percent == absl::string_view::npos) break;
    format.remove_prefix(percent + 1);
    size_t length = ConversionLength(L, format);
    std::string conversion = absl::StrCat("%", format.substr(0, length));
    char item[kItemBytesMax];
    // The process never leaves the C locale, and neither does a service (SetLocale).
    text.append(item, std::strftime(item, sizeof item, conversion.c_str(), &time));
    format.remove_prefix(length);
  }
  lua_pushlstring(L, text.data(), text.size());
}

int Date(lua_State* L) {
  size_t size;
  const char* given = luaL_optlstring(L, 1, "%c", &size);
  absl::string_view format(given, size);
  int64_t seconds = lua_isnoneornil(L, 2) ? NowSeconds(L) : luaL_checkinteger(L, 2);
  bool as_utc = absl::StartsWith(format, "!");
  if (as_utc) format.remove_prefix(1);
  std::tm time = {};
  if (!BreakDown(seconds, as_utc, SandboxOf(L).options.fixed_utc, &time)) {
    return luaL_error(L, "date result cannot be represented in this installation");
  }
  if (format == "*t") {
    lua_createtable(L, 0, 9);
    SetTimeFields(L, time);
  } else {
    PushFormatted(L, format, time);
  }
  return 1;
}

int CpuClock(lua_State* L) {
  lua_pushnumber(L, static_cast<lua_Number>(SandboxOf(L).options.clock.CpuNs()) /
                        static_cast<lua_Number>(kNsPerSecond));
  return 1;
}

int TimeDifference(lua_State* L) {
  lua_Integer later = luaL_checkinteger(L, 1);
  lua_Integer earlier = luaL_checkinteger(L, 2);
  lua_pushnumber(L, std::difftime(later, earlier));
  return 1;
}

int GetEnvironment(lua_State* L) {
  std::string name = luaL_checkstring(L, 1);
  const auto& getenv = SandboxOf(L).options.getenv;
  const std::string* value = getenv != nullptr ? getenv(name) : nullptr;
  if (value != nullptr) {
    lua_pushlstring(L, value->data(), value->size());
  } else {
    luaL_pushfail(L);
  }
  return 1;
}

int Exit(lua_State* L) {
  int status;
  if (lua_isboolean(L, 1)) {
    status = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  } else {
    status = static_cast<int>(luaL_optinteger(L, 1, EXIT_SUCCESS));
  }
  auto& exit = SandboxOf(L).options.exit;
  if (exit == nullptr) return luaL_error(L, "os.exit is not available to a service");
  exit(L, status);
  return luaL_error(L, "os.exit(%d)", status);
}

int RefuseExecute(lua_State* L) {
  if (!lua_isnoneornil(L, 1)) {
    return luaL_error(L, "os.execute is not available in a simulation: '%s'",
                      luaL_checkstring(L, 1));
  }
  lua_pushboolean(L, 0);  // "is there a shell?"
  return 1;
}

int Remove(lua_State* L) {
  const char* path = luaL_checkstring(L, 1);
  return PushFileResult(L, SandboxOf(L).options.storage.Remove(path), path);
}

int Rename(lua_State* L) {
  const char* from = luaL_checkstring(L, 1);
  const char* to = luaL_checkstring(L, 2);
  return PushFileResult(L, SandboxOf(L).options.storage.Rename(from, to), nullptr);
}

int TemporaryName(lua_State* L) {
  std::string name = MakeTemporaryFile(SandboxOf(L));
  if (name.empty()) return luaL_error(L, "unable to generate a unique filename");
  lua_pushlstring(L, name.data(), name.size());
  return 1;
}

int SetLocale(lua_State* L) {
  constexpr const char* kCategories[] = {"all",      "collate", "ctype", "monetary",
                                         "numeric", "time",    nullptr};
  absl::string_view locale = luaL_optstring(L, 1, "C");
  luaL_checkoption(L, 2, "all", kCategories);
  if (locale.empty() || locale == "C" || locale == "POSIX") {
    lua_pushliteral(L, "C");
  } else {
    luaL_pushfail(L);
  }
  return 1;
}

}  // namespace

std::string MakeTemporaryFile(SandboxState& state) {
  constexpr absl::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr int kLettersPerName = 6;
  constexpr int kTries = 100;
  std::string stream = absl::StrCat(state.options.entropy_prefix, "/tmpname");
  for (int i = 0; i < kTries; ++i) {
    uint64_t random = state.options.entropy.Draw(stream);
    std::string path = "/tmp/lua_";
    for (int letter = 0; letter < kLettersPerName; ++letter, random /= kLetters.size()) {
      path += kLetters[random % kLetters.size()];
    }
    if (state.options.storage.Exists(path)) continue;
    if (state.options.storage.Open(path, Storage::OpenMode::kCreate).ok()) return path;
  }
  return "";
}

void PrepareSandboxOs(lua_State* L, bool fixed_utc) {
  constexpr luaL_Reg kFunctions[] = {
      {"clock", CpuClock},
      {"date", Date},
      {"difftime", TimeDifference},
      {"exit", Exit},
      {"getenv", GetEnvironment},
      {"remove", Remove},
      {"rename", Rename},
      {"setlocale", SetLocale},
      {"time", Time},
      {"tmpname", TemporaryName},
      {nullptr, nullptr}};
  constexpr luaL_Reg kSimulated[] = {{"execute", RefuseExecute}, {nullptr, nullptr}};
  SetSandboxFunctions(L, LUA_OSLIBNAME, kFunctions);
  if (fixed_utc) SetSandboxFunctions(L, LUA_OSLIBNAME, kSimulated);
}

}  // namespace skysim
