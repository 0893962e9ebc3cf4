// The io library of the sandbox: Lua's files over a Storage.
//
// A file is a userdata that owns a FileStream until it is closed. Its metatable is not the one that
// the registry calls "FILE*": a C module that looks for a C FILE behind that name must not find
// ours, and the files of Lua's own io.popen keep working beside it.

#include <climits>
#include <cctype>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/lua/file_stream.h"
#include "engine/lua/sandbox_state.h"
#include "engine/platform/file_error.h"

namespace skysim {

namespace {

// Their addresses are keys of the registry.
constexpr char kMetatableKey = 0;
constexpr char kInputKey = 1;
constexpr char kOutputKey = 2;

struct LuaFile {
  FileStream* stream;  // owned; null: closed
  bool is_standard;    // cannot be closed
};

// Standard output and error. Reading and positions are refused by the FileStream.
class SinkFile final : public File {
 public:
  explicit SinkFile(SandboxState& sandbox) : sandbox_(sandbox) {}
  absl::StatusOr<std::string> ReadAt(uint64_t, size_t) override { return std::string(); }
  absl::Status WriteAt(uint64_t, absl::string_view bytes) override {
    sandbox_.WriteOut(bytes);
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Size() override { return 0; }
  absl::Status Sync() override { return absl::OkStatus(); }

 private:
  SandboxState& sandbox_;
};

// Standard input: opened when first read, because most services never do. At once at its end where
// the storage has none.
class InputFile final : public File {
 public:
  explicit InputFile(SandboxState& sandbox) : sandbox_(sandbox) {}
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
    if (file_ == nullptr) {
      absl::StatusOr<std::unique_ptr<File>> file =
          sandbox_.options.storage.Open("/dev/stdin", Storage::OpenMode::kRead);
      if (!file.ok()) return std::string();
      file_ = *std::move(file);
    }
    return file_->ReadAt(offset, size);
  }
  absl::Status WriteAt(uint64_t, absl::string_view) override { return FileError(EBADF); }
  absl::StatusOr<uint64_t> Size() override { return 0; }
  absl::Status Sync() override { return absl::OkStatus(); }

 private:
  SandboxState& sandbox_;
  std::unique_ptr<File> file_;
};

// ---- files and their userdata

// Null when the value is no file of the sandbox.
LuaFile* TestFile(lua_State* L, int index) {
  if (lua_touserdata(L, index) == nullptr || !lua_getmetatable(L, index)) return nullptr;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kMetatableKey);
  bool is_ours = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_ours ? static_cast<LuaFile*>(lua_touserdata(L, index)) : nullptr;
}

LuaFile& CheckFile(lua_State* L, int index) {
  LuaFile* file = TestFile(L, index);
  if (file == nullptr) luaL_typeerror(L, index, LUA_FILEHANDLE);
  return *file;
}

FileStream& CheckOpen(lua_State* L, int index) {
  LuaFile& file = CheckFile(L, index);
  if (file.stream == nullptr) luaL_error(L, "attempt to use a closed file");
  return *file.stream;
}

// Pushes a closed file.
LuaFile& PushFile(lua_State* L) {
  void* block = lua_newuserdatauv(L, sizeof(LuaFile), 0);
  auto* file = new (block) LuaFile{nullptr, false};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kMetatableKey);
  lua_setmetatable(L, -2);
  return *file;
}

// Opens the standard file whose userdata is the field `name` of the io table on top of the stack.
void OpenStandardFile(lua_State* L, const char* name, std::unique_ptr<File> file, bool is_input) {
  FileStream::Options options;
  options.can_read = is_input;
  options.can_write = !is_input;
  options.is_stream = true;
  lua_getfield(L, -1, name);
  static_cast<LuaFile*>(lua_touserdata(L, -1))->stream = new FileStream(std::move(file), options);
  lua_pop(L, 1);
}

int Close(lua_State* L, LuaFile& file) {
  if (file.is_standard) {
    luaL_pushfail(L);
    lua_pushliteral(L, "cannot close standard file");
    return 2;
  }
  absl::Status flushed = file.stream->Flush();
  delete std::exchange(file.stream, nullptr);
  return PushFileResult(L, flushed, nullptr);
}

// Pushes the default file behind `key` and returns it.
FileStream& DefaultFile(lua_State* L, const char* key) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  auto* file = static_cast<LuaFile*>(lua_touserdata(L, -1));
  if (file->stream == nullptr) {
    luaL_error(L, "default %s file is closed", key == &kInputKey ? "input" : "output");
  }
  return *file->stream;
}

// ---- opening

bool IsMode(absl::string_view mode) {
  if (mode.empty() || absl::string_view("rwa").find(mode[0]) == absl::string_view::npos) {
    return false;
  }
  mode.remove_prefix(1);
  if (!mode.empty() && mode[0] == '+') mode.remove_prefix(1);
  return mode.find_first_not_of('b') == absl::string_view::npos;
}

Storage::OpenMode OpenModeOf(absl::string_view mode) {
  if (mode[0] == 'w') return Storage::OpenMode::kTruncate;
  if (mode[0] == 'a') return Storage::OpenMode::kAppend;
  return mode.size() > 1 && mode[1] == '+' ? Storage::OpenMode::kReadWrite
                                           : Storage::OpenMode::kRead;
}

// Opens into `file`, which has none yet.
absl::Status OpenInto(LuaFile& file, Storage& storage, const char* path, absl::string_view mode) {
  absl::StatusOr<std::unique_ptr<File>> opened = storage.Open(path, OpenModeOf(mode));
  if (!opened.ok()) return opened.status();
  bool is_update = mode.size() > 1 && mode[1] == '+';
  FileStream::Options options;
  options.can_read = mode[0] == 'r' || is_update;
  options.can_write = mode[0] != 'r' || is_update;
  options.appends = mode[0] == 'a';
  file.stream = new FileStream(*std::move(opened), options);
  return absl::OkStatus();
}

int Open(lua_State* L) {
  const char* path = luaL_checkstring(L, 1);
  const char* mode = luaL_optstring(L, 2, "r");
  luaL_argcheck(L, IsMode(mode), 2, "invalid mode");
  LuaFile& file = PushFile(L);
  absl::Status status = OpenInto(file, SandboxOf(L).options.storage, path, mode);
  return status.ok() ? 1 : PushFileResult(L, status, path);
}

// Pushes the file or raises.
void OpenOrRaise(lua_State* L, const char* path, const char* mode) {
  LuaFile& file = PushFile(L);
  absl::Status status = OpenInto(file, SandboxOf(L).options.storage, path, mode);
  if (status.ok()) return;
  luaL_error(L, "cannot open file '%s' (%s)", path, std::string(status.message()).c_str());
}

// The file has no name: it is gone when it is closed.
int OpenTemporary(lua_State* L) {
  SandboxState& sandbox = SandboxOf(L);
  std::string path = MakeTemporaryFile(sandbox);
  if (path.empty()) return PushFileResult(L, FileError(EEXIST), nullptr);
  LuaFile& file = PushFile(L);
  absl::Status status = OpenInto(file, sandbox.options.storage, path.c_str(), "w+");
  if (status.ok()) status = sandbox.options.storage.Remove(path);
  return status.ok() ? 1 : PushFileResult(L, status, nullptr);
}

int RefusePopen(lua_State* L) {
  return luaL_error(L, "io.popen is not available in a simulation: '%s'", luaL_checkstring(L, 1));
}

// ---- reading. Each reader pushes one value, and returns false when there was nothing to read.

bool ReadLine(lua_State* L, FileStream& stream, bool keeps_end) {
  std::string line;
  bool found = stream.ReadLine(&line);
  if (!keeps_end && !line.empty() && line.back() == '\n') line.pop_back();
  lua_pushlstring(L, line.data(), line.size());
  return found;
}

bool ReadBytes(lua_State* L, FileStream& stream, size_t size) {
  std::string bytes;
  bool found = size == 0 ? stream.PeekByte() != FileStream::kEndOfFile
                         : stream.ReadBytes(size, &bytes);
  lua_pushlstring(L, bytes.data(), bytes.size());
  return found;
}

// Collects the longest start of the input that can begin a numeral.
class NumeralReader final {
 public:
  explicit NumeralReader(FileStream& stream) : stream_(stream) {}

  // Empty when what was read is longer than any numeral.
  std::string Read() {
    while (std::isspace(stream_.PeekByte())) stream_.NextByte();
    TakeOneOf("+-");
    bool is_hexadecimal = false;
    int digits = 0;
    if (TakeOneOf("0")) {
      is_hexadecimal = TakeOneOf("xX");
      digits = is_hexadecimal ? 0 : 1;
    }
    digits += TakeDigits(is_hexadecimal);
    if (TakeOneOf(".")) digits += TakeDigits(is_hexadecimal);
    if (digits > 0 && TakeOneOf(is_hexadecimal ? "pP" : "eE")) {
      TakeOneOf("+-");
      TakeDigits(false);
    }
    return is_too_long_ ? std::string() : text_;
  }

 private:
  static constexpr size_t kNumeralBytesMax = 200;  // as Lua's own

  bool TakeOneOf(absl::string_view set) {
    int byte = stream_.PeekByte();
    if (byte == FileStream::kEndOfFile) return false;
    return set.find(static_cast<char>(byte)) != absl::string_view::npos && Take();
  }

  bool Take() {
    if (text_.size() >= kNumeralBytesMax) {
      is_too_long_ = true;
      return false;
    }
    text_ += static_cast<char>(stream_.NextByte());
    return true;
  }

  int TakeDigits(bool hexadecimal) {
    int count = 0;
    for (int byte; (byte = stream_.PeekByte()) != FileStream::kEndOfFile; ++count) {
      if (!(hexadecimal ? std::isxdigit(byte) : std::isdigit(byte)) || !Take()) break;
    }
    return count;
  }

  FileStream& stream_;
  std::string text_;
  bool is_too_long_ = false;
};

bool ReadNumber(lua_State* L, FileStream& stream) {
  std::string text = NumeralReader(stream).Read();
  if (lua_stringtonumber(L, text.c_str()) != 0) return true;
  lua_pushnil(L);
  return false;
}

bool ReadFormat(lua_State* L, FileStream& stream, int index) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    return ReadBytes(L, stream, static_cast<size_t>(luaL_checkinteger(L, index)));
  }
  const char* format = luaL_checkstring(L, index);
  if (*format == '*') ++format;  // how Lua 5.2 wrote them
  switch (*format) {
    case 'n':
      return ReadNumber(L, stream);
    case 'l':
      return ReadLine(L, stream, false);
    case 'L':
      return ReadLine(L, stream, true);
    case 'a':
      ReadBytes(L, stream, SIZE_MAX);
      return true;
    default:
      luaL_argerror(L, index, "invalid format");
      return false;
  }
}

// Reads by the formats on the stack from `first` on; returns the number of results.
int Read(lua_State* L, FileStream& stream, int first) {
  int formats_end = lua_gettop(L) + 1;
  stream.ClearError();
  bool found = true;
  int results = 1;
  if (formats_end <= first) {
    found = ReadLine(L, stream, false);
  } else {
    luaL_checkstack(L, formats_end - first + LUA_MINSTACK, "too many arguments");
    results = 0;
    for (int i = first; i < formats_end && found; ++i, ++results) found = ReadFormat(L, stream, i);
  }
  if (!stream.error().ok()) return PushFileResult(L, stream.error(), nullptr);
  if (!found) {
    lua_pop(L, 1);
    luaL_pushfail(L);
  }
  return results;
}

int FileRead(lua_State* L) { return Read(L, CheckOpen(L, 1), 2); }

int DefaultRead(lua_State* L) {
  FileStream& stream = DefaultFile(L, &kInputKey);
  lua_pop(L, 1);
  return Read(L, stream, 1);
}

// ---- lines. Upvalues of an iterator: the file, the number of formats, whether to close the file
// at its end, the formats.

int NextLine(lua_State* L) {
  auto& file = *static_cast<LuaFile*>(lua_touserdata(L, lua_upvalueindex(1)));
  if (file.stream == nullptr) return luaL_error(L, "file is already closed");
  auto formats = static_cast<int>(lua_tointeger(L, lua_upvalueindex(2)));
  lua_settop(L, 1);
  luaL_checkstack(L, formats, "too many arguments");
  for (int i = 1; i <= formats; ++i) lua_pushvalue(L, lua_upvalueindex(3 + i));
  int results = Read(L, *file.stream, 2);
  if (lua_toboolean(L, -results)) return results;
  if (results > 1 && !file.stream->error().ok()) {
    return luaL_error(L, "%s", lua_tostring(L, -results + 1));
  }
  if (lua_toboolean(L, lua_upvalueindex(3))) Close(L, file);
  return 0;
}

// The stack holds the file and the formats; pushes the iterator.
void PushLines(lua_State* L, bool closes) {
  constexpr int kFormatsMax = 250;  // a C function has 255 upvalues
  int formats = lua_gettop(L) - 1;
  luaL_argcheck(L, formats <= kFormatsMax, kFormatsMax + 2, "too many arguments");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, formats);
  lua_pushboolean(L, closes);
  lua_rotate(L, 2, 3);
  lua_pushcclosure(L, NextLine, 3 + formats);
}

int FileLines(lua_State* L) {
  CheckOpen(L, 1);
  PushLines(L, false);
  return 1;
}

int DefaultLines(lua_State* L) {
  if (lua_isnone(L, 1)) lua_pushnil(L);
  if (lua_isnil(L, 1)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kInputKey);
    lua_replace(L, 1);
    return FileLines(L);
  }
  OpenOrRaise(L, luaL_checkstring(L, 1), "r");
  lua_replace(L, 1);
  PushLines(L, true);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 1);  // closed when the loop ends early
  return 4;
}

// ---- writing

// Writes the values from `first` up to the one before the top; the file is on top, the result.
int Write(lua_State* L, FileStream& stream, int first) {
  std::string bytes;
  int end = lua_gettop(L);
  for (int i = first; i < end; ++i) {
    if (!lua_isstring(L, i)) {
      stream.Write(bytes).IgnoreError();  // Lua has written these when it sees the bad one
      luaL_checkstring(L, i);
    }
    if (lua_type(L, i) == LUA_TNUMBER && !lua_isinteger(L, i)) {
      char number[64];  // "%.14g" without the ".0" that tostring gives
      bytes.append(number, static_cast<size_t>(
                               lua_number2str(number, sizeof number, lua_tonumber(L, i))));
      continue;
    }
    size_t size;
    const char* text = lua_tolstring(L, i, &size);
    bytes.append(text, size);
  }
  absl::Status status = stream.Write(bytes);
  return status.ok() ? 1 : PushFileResult(L, status, nullptr);
}

int FileWrite(lua_State* L) {
  FileStream& stream = CheckOpen(L, 1);
  lua_pushvalue(L, 1);
  return Write(L, stream, 2);
}

int DefaultWrite(lua_State* L) { return Write(L, DefaultFile(L, &kOutputKey), 1); }

int FileFlush(lua_State* L) { return PushFileResult(L, CheckOpen(L, 1).Flush(), nullptr); }

int DefaultFlush(lua_State* L) {
  return PushFileResult(L, DefaultFile(L, &kOutputKey).Flush(), nullptr);
}

// ---- the rest

int FileSeek(lua_State* L) {
  constexpr FileStream::Whence kWhence[] = {FileStream::Whence::kStart,
                                            FileStream::Whence::kCurrent,
                                            FileStream::Whence::kEnd};
  constexpr const char* kNames[] = {"set", "cur", "end", nullptr};
  FileStream& stream = CheckOpen(L, 1);
  int whence = luaL_checkoption(L, 2, "cur", kNames);
  lua_Integer offset = luaL_optinteger(L, 3, 0);
  absl::StatusOr<int64_t> position = stream.Seek(kWhence[whence], offset);
  if (!position.ok()) return PushFileResult(L, position.status(), nullptr);
  lua_pushinteger(L, *position);
  return 1;
}

int FileSetBuffering(lua_State* L) {
  constexpr FileStream::Buffering kBuffering[] = {
      FileStream::Buffering::kNone, FileStream::Buffering::kFull, FileStream::Buffering::kLine};
  constexpr const char* kNames[] = {"no", "full", "line", nullptr};
  FileStream& stream = CheckOpen(L, 1);
  int buffering = luaL_checkoption(L, 2, nullptr, kNames);
  lua_Integer size = luaL_optinteger(L, 3, static_cast<lua_Integer>(FileStream::kBufferBytes));
  stream.SetBuffering(kBuffering[buffering], static_cast<size_t>(size));
  lua_pushboolean(L, 1);
  return 1;
}

int FileClose(lua_State* L) {
  CheckOpen(L, 1);
  return Close(L, CheckFile(L, 1));
}

// io.close() of a file that io.popen made (real nodes only) goes to its own method.
int DefaultClose(lua_State* L) {
  if (lua_isnone(L, 1)) lua_rawgetp(L, LUA_REGISTRYINDEX, &kOutputKey);
  if (luaL_testudata(L, 1, LUA_FILEHANDLE) == nullptr) return FileClose(L);
  lua_getfield(L, 1, "close");
  lua_pushvalue(L, 1);
  lua_call(L, 1, LUA_MULTRET);
  return lua_gettop(L) - 1;
}

int FileCollect(lua_State* L) {
  LuaFile& file = CheckFile(L, 1);
  delete std::exchange(file.stream, nullptr);
  return 0;
}

int FileToString(lua_State* L) {
  LuaFile& file = CheckFile(L, 1);
  if (file.stream == nullptr) {
    lua_pushliteral(L, "file (closed)");
  } else {
    lua_pushfstring(L, "file (%p)", static_cast<void*>(&file));
  }
  return 1;
}

int Type(lua_State* L) {
  luaL_checkany(L, 1);
  if (auto* popened = static_cast<luaL_Stream*>(luaL_testudata(L, 1, LUA_FILEHANDLE))) {
    lua_pushstring(L, popened->closef == nullptr ? "closed file" : "file");
    return 1;
  }
  LuaFile* file = TestFile(L, 1);
  if (file == nullptr) {
    luaL_pushfail(L);
  } else {
    lua_pushstring(L, file->stream == nullptr ? "closed file" : "file");
  }
  return 1;
}

int SetDefault(lua_State* L, const char* key, const char* mode) {
  if (!lua_isnoneornil(L, 1)) {
    if (const char* path = lua_tostring(L, 1)) {
      OpenOrRaise(L, path, mode);
    } else {
      CheckOpen(L, 1);
      lua_pushvalue(L, 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, key);
  return 1;
}

int DefaultInput(lua_State* L) { return SetDefault(L, &kInputKey, "r"); }
int DefaultOutput(lua_State* L) { return SetDefault(L, &kOutputKey, "w"); }

// ---- installing

void MakeMetatable(lua_State* L) {
  constexpr luaL_Reg kMethods[] = {
      {"close", FileClose}, {"flush", FileFlush},           {"lines", FileLines},
      {"read", FileRead},   {"seek", FileSeek},             {"setvbuf", FileSetBuffering},
      {"write", FileWrite}, {nullptr, nullptr}};
  constexpr luaL_Reg kMetamethods[] = {{"__close", FileCollect},
                                       {"__gc", FileCollect},
                                       {"__tostring", FileToString},
                                       {nullptr, nullptr}};
  luaL_newlib(L, kMetamethods);
  luaL_newlib(L, kMethods);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, LUA_FILEHANDLE);
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kMetatableKey);
}

void PushStandardFile(lua_State* L) { PushFile(L).is_standard = true; }

// Puts the standard files into the io table on top of the stack, not open yet.
void SetStandardFiles(lua_State* L) {
  PushStandardFile(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kInputKey);
  lua_setfield(L, -2, "stdin");
  PushStandardFile(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kOutputKey);
  lua_setfield(L, -2, "stdout");
  PushStandardFile(L);
  lua_setfield(L, -2, "stderr");
}

}  // namespace

void PrepareSandboxIo(lua_State* L, bool fixed_utc) {
  constexpr luaL_Reg kFunctions[] = {
      {"close", DefaultClose},   {"flush", DefaultFlush}, {"input", DefaultInput},
      {"lines", DefaultLines},   {"open", Open},          {"output", DefaultOutput},
      {"read", DefaultRead},     {"tmpfile", OpenTemporary},
      {"type", Type},            {"write", DefaultWrite}, {nullptr, nullptr}};
  constexpr luaL_Reg kSimulated[] = {{"popen", RefusePopen}, {nullptr, nullptr}};
  MakeMetatable(L);
  SetSandboxFunctions(L, LUA_IOLIBNAME, kFunctions);
  if (fixed_utc) SetSandboxFunctions(L, LUA_IOLIBNAME, kSimulated);
  lua_getglobal(L, LUA_IOLIBNAME);
  SetStandardFiles(L);
  lua_pop(L, 1);
}

void BindSandboxIo(lua_State* L, SandboxState& sandbox) {
  lua_getglobal(L, LUA_IOLIBNAME);
  OpenStandardFile(L, "stdin", std::make_unique<InputFile>(sandbox), true);
  OpenStandardFile(L, "stdout", std::make_unique<SinkFile>(sandbox), false);
  OpenStandardFile(L, "stderr", std::make_unique<SinkFile>(sandbox), false);
  lua_pop(L, 1);
}

}  // namespace skysim
