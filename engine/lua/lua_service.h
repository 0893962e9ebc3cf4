#ifndef ENGINE_LUA_LUA_SERVICE_H_
#define ENGINE_LUA_LUA_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "engine/core/service.h"
#include "engine/core/service_context.h"
#include "engine/lua/service_image.h"
#include "engine/lua/task_scheduler.h"
#include "engine/lua/vm.h"
#include "engine/native/native_context.h"
#include "engine/native/shared_library.h"

namespace skysim {

class ChunkCache;
class ModuleLibrary;

// Module "snlua": a service whose script is a Lua file. Init only sends the argument string to
// itself; the first dispatch makes the VM and runs the loader (config `lualoader`) with it
// (runtime_api.md 1.11). A script that fails to load tells .launcher and exits.
class LuaService final : public Service {
 public:
  struct Options {
    TaskScheduler::Options tasks;
    // What new VMs are copied from; for services of one life of one node, with these options.
    std::shared_ptr<ServiceImage> image = std::make_shared<ServiceImage>();
    // Called for a new VM when the standard modules are preloaded and the sandbox stands.
    std::function<void(lua_State*)> open_modules;
    // Where print() and io.stdout go: one call for each write.
    std::function<void(absl::string_view)> write_out;
    // Loads modules in C for the services of the node. Borrowed; null: from the machine, without
    // what include/skynet.h has for Lua modules.
    ModuleLibrary* libraries = nullptr;
    // Compiles Lua files once for all services. Borrowed; null: each load compiles.
    ChunkCache* chunks = nullptr;
    // What Lua leaves open is drawn (any_order.h), not left to hashes and addresses.
    bool any_order = false;
    // Real clocks and time zones answer os.date; a simulation lives in UTC.
    bool fixed_utc = true;
  };
  // `options` is borrowed for the service's life.
  explicit LuaService(const Options& options) : options_(options) {}
  ~LuaService() override;

  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int signal) override;

  // Raises an error wherever its Lua code is now, and keeps raising it until that coroutine is
  // left: for a dispatch that does not end. False: nothing runs. Any thread.
  bool Interrupt();

  // skynet.core.callback: the function at stack index 1 of `L` handles messages from the next on.
  void SetCallback(lua_State* L, bool forwards);
  // skynet.start: messages go to the task scheduler. `map_index`: table type -> type of
  // skynet.forward_type, or 0.
  void UseTasks(lua_State* L, int map_index);

  // What its VM took from its memory; 0 before the first dispatch. Any thread.
  size_t memory_bytes() const {
    const LuaVm* vm = shared_vm_.load(std::memory_order_acquire);
    return vm == nullptr ? 0 : vm->bytes_used();
  }

  // Null before the first dispatch.
  TaskScheduler* tasks() { return tasks_.get(); }
  LuaVm* vm() { return vm_.get(); }

 private:
  enum class Mode { kNone, kCallback, kTasks };

  RunningLua& running() {
    return options_.tasks.running != nullptr ? *options_.tasks.running : own_running_;
  }
  void HandleMessage(Message message);
  void Boot(Message& message);
  absl::StatusOr<SharedLibrary> OpenLibrary(lua_State* L, const std::string& path, bool is_global);
  absl::Status RunLoader(absl::string_view args);
  void OpenVm();
  void MakeVm();
  std::unique_ptr<const StateImage> MakeImage(unsigned seed);
  void PrepareState(lua_State* L) const;
  void BindState(lua_State* L);
  void FailBoot(absl::string_view text);
  void CallBack(Message message);
  void LogError(const Message& message, size_t size, absl::string_view text);

  const Options& options_;
  ServiceContext* context_ = nullptr;
  RunningLua own_running_;
  std::atomic<const LuaVm*> shared_vm_{nullptr};  // vm_, for signals from other threads
  std::unique_ptr<skynet_context> native_context_;  // null: no module in C was loaded
  std::unique_ptr<TaskScheduler> tasks_;
  std::unique_ptr<LuaVm> vm_;  // goes before tasks_: finalisers may still call skynet's functions
  std::atomic<bool> is_running_{false};  // a dispatch is under way
  bool is_booted_ = false;
  Mode mode_ = Mode::kNone;
  int callback_ref_ = LUA_NOREF;
  bool forwards_ = false;
  std::unique_ptr<std::array<uint8_t, 256>> forward_map_;  // 0 = not mapped
};

// The Lua service that `L` belongs to; raises if it belongs to none.
LuaService& LuaServiceOf(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_LUA_SERVICE_H_
