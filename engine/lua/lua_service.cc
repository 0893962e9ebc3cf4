#include "engine/lua/lua_service.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/core/socket_message.h"
#include "engine/lua/any_order.h"
#include "engine/lua/chunk_cache.h"
#include "engine/lua/cluster_core_module.h"
#include "engine/lua/core_module.h"
#include "engine/lua/coroutine_module.h"
#include "engine/lua/multicast_core_module.h"
#include "engine/lua/datasheet_module.h"
#include "engine/lua/memory_module.h"
#include "engine/lua/crypt_module.h"
#include "engine/lua/debugchannel_module.h"
#include "engine/lua/netpack_module.h"
#include "engine/lua/raw_access.h"
#include "engine/lua/sandbox.h"
#include "engine/lua/shared_tree_module.h"
#include "engine/lua/skynet_module.h"
#include "engine/lua/socketdriver_module.h"
#include "engine/lua/stm_module.h"
#include "engine/native/module_library.h"

namespace skysim {

namespace {

constexpr char kServiceKey[] = "skysim.service";  // registry: light userdata LuaService*

constexpr char kContextKey[] = "skynet_context";  // registry: for modules in C

constexpr char kLoader[] = "./lualib/loader.lua";
constexpr char kLuaPath[] = "./lualib/?.lua;./lualib/?/init.lua";

// What lualib/loader.lua and lualib/skynet.lua require.
constexpr const char* kLibraryModules[] = {"skynet", "skynet.require", "skynet.codecache"};

std::string EnvOr(const Node& node, const char* key, const char* otherwise) {
  const std::string* value = node.GetEnv(key);
  return value != nullptr ? *value : otherwise;
}

// The loader of a module that was made in advance: upvalue 1 is its table, given out once. Who
// forgets the module and requires it again gets a new one from upvalue 2, as with any C module.
int GiveMade(lua_State* L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  if (lua_isnil(L, -1)) return lua_tocfunction(L, lua_upvalueindex(2))(L);
  lua_pushnil(L);
  lua_replace(L, lua_upvalueindex(1));
  return 1;
}

// As PreloadModule, with the table that `push` makes at once.
void PreloadMade(lua_State* L, const char* name, void (*push)(lua_State*), lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  push(L);
  lua_pushcfunction(L, open);
  lua_pushcclosure(L, GiveMade, 2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

int Traceback(lua_State* L) {
  const char* text = lua_tostring(L, 1);
  if (text == nullptr) text = luaL_tolstring(L, 1, nullptr);
  luaL_traceback(L, L, text, 1);
  return 1;
}

void WarnOfMemory(VmContext& vm, size_t bytes) {
  vm.node->Log(vm.service->handle(), absl::StrFormat("Memory warning %.2f M",
                                                     static_cast<double>(bytes) / (1 << 20)));
}

void SetGlobal(lua_State* L, const Node& node, const char* global, const char* key,
               const char* otherwise) {
  const std::string* value = node.GetEnv(key);
  if (value == nullptr && otherwise == nullptr) return;
  lua_pushstring(L, value != nullptr ? value->c_str() : otherwise);
  lua_setglobal(L, global);
}

int LoadChunk(lua_State* L, ChunkCache* chunks, const std::shared_ptr<const std::string>& text,
              const char* chunk_name) {
  if (chunks != nullptr) return chunks->Load(L, text, chunk_name, nullptr);
  return luaL_loadbuffer(L, text->data(), text->size(), chunk_name);
}

void InterruptHook(lua_State* L, lua_Debug*) {
  lua_sethook(L, nullptr, 0, 0);
  luaL_where(L, 0);  // in a hook the function that runs is level 0
  lua_pushliteral(L, "signal 0");
  lua_concat(L, 2);
  lua_error(L);
}

void EndlessHook(lua_State* L, lua_Debug*) {
  luaL_where(L, 0);
  lua_pushliteral(L, "endless loop: this dispatch does not end");
  lua_concat(L, 2);
  lua_error(L);
}

}  // namespace

LuaService::~LuaService() = default;

absl::Status LuaService::Init(ServiceContext& context, const std::string& args) {
  context_ = &context;
  context.Send(context.handle(), MessageType::kText, 0,
               Payload::Copy(context.node().platform().memory, args));
  return absl::OkStatus();
}

void LuaService::OnMessage(Message message) {
  is_running_.store(true, std::memory_order_relaxed);
  HandleMessage(std::move(message));
  is_running_.store(false, std::memory_order_relaxed);
}

void LuaService::HandleMessage(Message message) {
  if (!is_booted_) return Boot(message);
  switch (mode_) {
    case Mode::kNone: return context_->node().AnswerDeadLetter(context_->handle(), message);
    case Mode::kCallback: return CallBack(std::move(message));
    case Mode::kTasks: break;
  }
  bool keeps_payload = false;
  if (forward_map_ != nullptr) {
    uint8_t type = (*forward_map_)[static_cast<uint8_t>(message.type)];
    if (type != 0) {
      message.type = static_cast<MessageType>(type);
      keeps_payload = true;
    }
  }
  tasks_->Dispatch(std::move(message), keeps_payload);
}

void LuaService::OnSignal(int signal) {
  Node& node = context_->node();
  node.Log(context_->handle(), absl::StrFormat("recv a signal %d", signal));
  const LuaVm* vm = shared_vm_.load(std::memory_order_acquire);
  if (vm == nullptr) return;
  if (signal == 0) {
    // Services that share a thread share running(), which then is whoever gave the signal.
    if (options_.tasks.running != nullptr && !is_running_.load(std::memory_order_relaxed)) return;
    running().HookSoon(InterruptHook, LUA_MASKCOUNT);
  } else if (signal == 1) {
    node.Log(context_->handle(), absl::StrFormat("Current Memory %.3fK",
                                                 static_cast<double>(vm->bytes_used()) / 1024));
  }
}

bool LuaService::Interrupt() {
  return running().HookSoon(EndlessHook,
                            LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT);
}

void LuaService::SetCallback(lua_State* L, bool forwards) {
  luaL_unref(L, LUA_REGISTRYINDEX, callback_ref_);
  lua_pushvalue(L, 1);
  callback_ref_ = luaL_ref(L, LUA_REGISTRYINDEX);
  forwards_ = forwards;
  mode_ = Mode::kCallback;
}

void LuaService::UseTasks(lua_State* L, int map_index) {
  mode_ = Mode::kTasks;
  forward_map_.reset();
  if (map_index == 0) return;
  forward_map_ = std::make_unique<std::array<uint8_t, 256>>();
  lua_pushnil(L);
  while (lua_next(L, map_index) != 0) {
    (*forward_map_)[lua_tointeger(L, -2) & 0xff] = static_cast<uint8_t>(lua_tointeger(L, -1));
    lua_pop(L, 1);
  }
}

void LuaService::Boot(Message& message) {
  is_booted_ = true;
  OpenVm();
  lua_State* outer_running = tasks_->SetRunning(vm_->state());
  absl::Status status = RunLoader(message.payload.bytes());
  tasks_->SetRunning(outer_running);
  if (!status.ok()) return FailBoot(status.message());
  tasks_->BeginForks(message);
}

void LuaService::OpenVm() {
  MakeVm();
  vm_->SetMemoryWarning(WarnOfMemory);
  if (options_.chunks != nullptr) vm_->ShareCode(options_.chunks->code());
  lua_State* L = vm_->state();
  TaskScheduler::Options tasks = options_.tasks;
  tasks.running = &running();
  tasks_ = std::make_unique<TaskScheduler>(*context_, L, tasks);
  vm_->context().tasks = tasks_.get();
  shared_vm_.store(vm_.get(), std::memory_order_release);
  BindState(L);
}

// Makes a VM in generational mode, whose collector stands still.
void LuaService::MakeVm() {
  Node& node = context_->node();
  VmContext context;
  context.platform = &node.platform();
  context.node = &node;
  context.service = context_;
  const StateImage& image = options_.image->Get(
      node.platform().entropy, [this](unsigned seed) { return MakeImage(seed); });
  vm_ = std::make_unique<LuaVm>(node.platform().memory, image, context);
  lua_gc(vm_->state(), LUA_GCSTOP);
  if (!options_.any_order) return;
  const std::string prefix = FormatHandle(context_->handle());
  DrawTableOrder(vm_->state(), node.platform().entropy, prefix);
  DrawCollectorPace(vm_->state(), node.platform().entropy, prefix);
}

// The image has the code of the library files that every service loads, as far as they are where
// they are expected. A service that finds another text when it loads one is not affected.
std::unique_ptr<const StateImage> LuaService::MakeImage(unsigned seed) {
  Node& node = context_->node();
  Storage& storage = node.platform().storage;
  struct LibraryFile {
    std::string chunk_name;
    std::shared_ptr<const std::string> text;
  };
  std::vector<LibraryFile> files;  // read once: the image is filled several times
  auto add = [&](absl::string_view path) {
    auto text = storage.ReadAll(std::string(path));
    if (text.ok()) files.push_back({absl::StrCat("@", path), *std::move(text)});
  };
  if (options_.chunks != nullptr) {
    for (const char* name : kLibraryModules) {
      auto file = FindLuaFile(storage, name, EnvOr(node, "lua_path", kLuaPath));
      if (file.has_value()) add(*file);
    }
  }
  auto image = StateImage::Make(seed, [&](lua_State* L) {
    PrepareState(L);
    for (const LibraryFile& file : files) {
      options_.chunks->Keep(L, file.text, file.chunk_name.c_str());
    }
  });
  if (image != nullptr) return image;
  // Somebody's own library, and a big one.
  image = StateImage::Make(seed, [this](lua_State* L) { PrepareState(L); });
  CHECK(image != nullptr) << "the libraries of a service are too big for an image";
  return image;
}

// What is the same in all services.
void LuaService::PrepareState(lua_State* L) const {
  luaL_openlibs(L);
  WatchPlainCoroutines(L);
  PrepareSandbox(L, options_.fixed_utc);
  ReplaceRawAccess(L);
  PreloadMade(L, "skynet.core", PushCore, OpenCore);
  PreloadMade(L, "skynet.tasks", PushTasks, OpenTasks);
  PreloadModule(L, "skynet.coroutine", OpenCoroutine);
  PreloadModule(L, "skynet.debugchannel", OpenDebugChannel);
  PreloadModule(L, "skynet.socketdriver", OpenSocketDriver);
  PreloadModule(L, "skynet.netpack", OpenNetpack);
  PreloadModule(L, "skynet.cluster.core", OpenClusterCore);
  PreloadModule(L, "skynet.multicast.core", OpenMulticastCore);
  PreloadModule(L, "skynet.sharedtree", OpenSharedTree);
  PreloadModule(L, "skynet.datasheet.core", OpenDatasheet);
  PreloadModule(L, "skynet.stm", OpenStm);
  PreloadModule(L, "skynet.memory", OpenMemory);
  PreloadModule(L, "skynet.crypt", OpenCrypt);
  PreloadModule(L, "client.crypt", OpenCrypt);
  PreloadModule(L, "md5", OpenMd5);
}

void LuaService::BindState(lua_State* L) {
  Node& node = context_->node();
  lua_pushlightuserdata(L, this);
  lua_setfield(L, LUA_REGISTRYINDEX, kServiceKey);
  SandboxOptions sandbox{node.platform().storage, node.platform().clock, node.platform().entropy};
  sandbox.entropy_prefix = FormatHandle(context_->handle());
  sandbox.write_out = [this](absl::string_view text) {
    Event event{EventKind::kLog};
    event.service = context_->handle();
    event.cause = context_->cause();
    event.text = text;
    context_->node().platform().observer.Record(event);
    if (options_.write_out) options_.write_out(text);
  };
  // A process ends with os.exit; so does a node.
  sandbox.exit = [&node](lua_State*, int) { node.Abort(); };
  sandbox.chunks = options_.chunks;
  if (options_.libraries != nullptr) {
    sandbox.open_library = [this](lua_State* state, const std::string& path, bool is_global) {
      return OpenLibrary(state, path, is_global);
    };
  }
  sandbox.fixed_utc = options_.fixed_utc;
  BindSandbox(L, std::move(sandbox));
  if (options_.open_modules) options_.open_modules(L);
  SetGlobal(L, node, "LUA_PATH", "lua_path", kLuaPath);
  SetGlobal(L, node, "LUA_CPATH", "lua_cpath", "./luaclib/?.so");
  SetGlobal(L, node, "LUA_SERVICE", "luaservice", "./service/?.lua");
  SetGlobal(L, node, "LUA_PRELOAD", "preload", nullptr);
}

// A module may want its service's context while it is opened.
absl::StatusOr<SharedLibrary> LuaService::OpenLibrary(lua_State* L, const std::string& path,
                                                      bool is_global) {
  if (native_context_ == nullptr) {
    native_context_ =
        std::make_unique<skynet_context>(skynet_context{*context_, /*may_receive=*/false});
    lua_pushlightuserdata(L, native_context_.get());
    lua_setfield(L, LUA_REGISTRYINDEX, kContextKey);
  }
  return options_.libraries->Load(context_->node(), path, is_global);
}

absl::Status LuaService::RunLoader(absl::string_view args) {
  Node& node = context_->node();
  lua_State* L = vm_->state();
  std::string path = EnvOr(node, "lualoader", kLoader);
  absl::StatusOr<std::shared_ptr<const std::string>> text = node.platform().storage.ReadAll(path);
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat("Can't load ", path, " : ", text.status().message()));
  }
  lua_pushcfunction(L, Traceback);
  std::string chunk = absl::StrCat("@", path);
  absl::Status status;
  if (LoadChunk(L, options_.chunks, *text, chunk.c_str()) != LUA_OK) {
    status =
        absl::InvalidArgumentError(absl::StrCat("Can't load ", path, " : ", lua_tostring(L, -1)));
  } else {
    lua_pushlstring(L, args.data(), args.size());
    if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
      status = absl::InvalidArgumentError(absl::StrCat("lua loader error : ", lua_tostring(L, -1)));
    }
  }
  lua_settop(L, 0);
  lua_gc(L, LUA_GCRESTART);
  return status;
}

void LuaService::FailBoot(absl::string_view text) {
  Node& node = context_->node();
  node.Log(context_->handle(), text);
  if (std::optional<Handle> launcher = node.FindAddress(".launcher")) {
    context_->Send(*launcher, MessageType::kText, 0,
                   Payload::Copy(node.platform().memory, "ERROR"));
  }
  node.Log(context_->handle(), "KILL self");
  node.Retire(context_->handle(), context_->handle(), context_->cause());
}

void LuaService::CallBack(Message message) {
  lua_State* L = vm_->state();
  lua_pushcfunction(L, Traceback);
  lua_rawgeti(L, LUA_REGISTRYINDEX, callback_ref_);
  lua_pushinteger(L, static_cast<int>(message.type));
  lua_pushlightuserdata(L, message.payload.data());
  lua_pushinteger(L, static_cast<lua_Integer>(message.payload.size()));
  lua_pushinteger(L, message.session);
  lua_pushinteger(L, message.source);
  size_t size = message.payload.size();
  Payload kept = std::move(message.payload);
  if (forwards_) kept.Release();
  lua_State* outer_running = tasks_->SetRunning(L);
  int status = lua_pcall(L, 5, 0, 1);
  tasks_->SetRunning(outer_running);
  if (status != LUA_OK) {
    LogError(message, size, luaL_tolstring(L, -1, nullptr));
  }
  lua_settop(L, 0);
}

void LuaService::LogError(const Message& message, size_t size, absl::string_view text) {
  context_->node().Log(
      context_->handle(),
      absl::StrFormat("lua call [%x to %s : %d msgsz = %d] error : \x1b[31m%s\x1b[0m",
                      message.source, FormatHandle(context_->handle()), message.session, size,
                      text));
}

LuaService& LuaServiceOf(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, kServiceKey);
  auto* service = static_cast<LuaService*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  if (service == nullptr) luaL_error(L, "Init skynet context first");
  return *service;
}

}  // namespace skysim
