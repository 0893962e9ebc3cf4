// The functions of include/skynet.h. They are found by name, by libraries that the program loads.

#include "engine/native/native_context.h"

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/commands.h"
#include "engine/core/node.h"

namespace skysim {
namespace {

// What a message's size has beside its type in skynet's own structures.
constexpr size_t kMessageBytesMax = (size_t{1} << 56) - 1;
constexpr int kNotSent = -1;
constexpr int kTooLarge = -2;

std::atomic<Memory*> module_memory{nullptr};

Memory& ModuleMemory() {
  Memory* memory = module_memory.load(std::memory_order_acquire);
  CHECK(memory != nullptr) << "skynet_malloc before any module was loaded";
  return *memory;
}

// The message of a call of skynet_send, before it is known where to.
struct Parcel {
  int session;  // < 0: it cannot be sent
  Message message;
};

Parcel MakeParcel(skynet_context& context, uint32_t source, int type, int session, void* bytes,
                  size_t size) {
  ServiceContext& service = context.service;
  Memory& memory = service.node().platform().memory;
  const bool is_ours = (type & PTYPE_TAG_DONTCOPY) != 0;
  Parcel parcel{kNotSent, {}};
  Message& message = parcel.message;
  if (size > kMessageBytesMax) {
    if (is_ours) memory.Free(bytes);
    parcel.session = kTooLarge;
    return parcel;
  }
  if (is_ours) {
    message.payload = Payload(memory, static_cast<char*>(bytes), size);
  } else if (bytes != nullptr) {
    message.payload =
        Payload::Copy(memory, absl::string_view(static_cast<const char*>(bytes), size));
  }
  if ((type & PTYPE_TAG_ALLOCSESSION) != 0) {
    if (session != 0) {
      service.node().Log(service.handle(),
                         "error: a new session was asked for, and one was given");
      return parcel;
    }
    session = service.NewSession();
  }
  if (session < 0) return parcel;
  message.source = source != 0 ? source : service.handle();
  message.session = session;
  message.type = static_cast<MessageType>(type & 0xff);
  message.cause = service.cause();
  parcel.session = session;
  return parcel;
}

}  // namespace

void UseModuleMemory(Memory& memory) { module_memory.store(&memory, std::memory_order_release); }

}  // namespace skysim

#define SKYNET_API __attribute__((used, visibility("default")))

extern "C" {

SKYNET_API void skynet_callback(skynet_context* context, void* user_data, skynet_cb callback) {
  if (!context->may_receive) {
    context->service.node().Log(context->service.handle(),
                                "error: skynet_callback is for services in C");
    return;
  }
  context->callback = callback;
  context->user_data = user_data;
}

SKYNET_API int skynet_send(skynet_context* context, uint32_t source, uint32_t destination, int type,
                           int session, void* message, size_t size) {
  skysim::Parcel parcel =
      skysim::MakeParcel(*context, source, type, session, message, size);
  skysim::ServiceContext& service = context->service;
  if (parcel.session == skysim::kTooLarge) {
    service.node().Log(service.handle(),
                       absl::StrFormat("error: The message to %x is too large", destination));
  }
  if (parcel.session < 0) return parcel.session;
  if (destination == 0) {
    service.node().Log(service.handle(), "error: Destination address can't be 0");
    return skysim::kNotSent;
  }
  return service.node().Send(destination, std::move(parcel.message)) ? parcel.session
                                                                     : skysim::kNotSent;
}

SKYNET_API int skynet_sendname(skynet_context* context, uint32_t source, const char* destination,
                               int type, int session, void* message, size_t size) {
  if (destination[0] == '.' || destination[0] == ':') {
    uint32_t handle = skynet_queryname(context, destination);
    if (handle != 0) {
      return skynet_send(context, source, handle, type, session, message, size);
    }
    skysim::MakeParcel(*context, source, type, session, message, size);  // frees what is given
    return skysim::kNotSent;
  }
  skysim::Parcel parcel =
      skysim::MakeParcel(*context, source, type, session, message, size);
  skysim::ServiceContext& service = context->service;
  if (parcel.session == skysim::kTooLarge) {
    service.node().Log(service.handle(),
                       absl::StrCat("error: The message to ", destination, " is too large"));
  }
  if (parcel.session < 0) return parcel.session;
  return service.node().SendGlobal(destination, std::move(parcel.message)) ? parcel.session
                                                                           : skysim::kNotSent;
}

SKYNET_API const char* skynet_command(skynet_context* context, const char* command,
                                      const char* parameter) {
  if (std::strcmp(command, "NOW") == 0) {
    context->result = absl::StrCat(context->service.node().timers().Now());
    return context->result.c_str();
  }
  std::optional<std::string> result =
      skysim::RunCommand(context->service, command, parameter == nullptr ? "" : parameter);
  if (!result) return nullptr;
  context->result = *std::move(result);
  return context->result.c_str();
}

SKYNET_API uint32_t skynet_queryname(skynet_context* context, const char* name) {
  return context->service.node().FindAddress(name).value_or(0);
}

SKYNET_API int skynet_isremote(skynet_context* context, uint32_t handle, int* harbor) {
  uint32_t id = skysim::HarborOf(handle);
  if (harbor != nullptr) *harbor = static_cast<int>(id);
  return id != 0 && id != context->service.node().harbor() ? 1 : 0;
}

SKYNET_API void skynet_error(skynet_context* context, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(size > 0 ? size : 0, '\0');
  if (size > 0) std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  context->service.node().Log(context->service.handle(), text);
}

SKYNET_API void* skynet_malloc(size_t size) {
  return skysim::ModuleMemory().Allocate(size > 0 ? size : 1);
}

SKYNET_API void* skynet_calloc(size_t count, size_t size) {
  CHECK(size == 0 || count <= SIZE_MAX / size) << "skynet_calloc of " << count << " x " << size;
  void* block = skynet_malloc(count * size);
  std::memset(block, 0, count * size);
  return block;
}

SKYNET_API void* skynet_realloc(void* block, size_t size) {
  return skysim::ModuleMemory().Reallocate(block, size > 0 ? size : 1);
}

SKYNET_API void skynet_free(void* block) { skysim::ModuleMemory().Free(block); }

SKYNET_API char* skynet_strdup(const char* text) {
  size_t size = std::strlen(text) + 1;
  return static_cast<char*>(std::memcpy(skynet_malloc(size), text, size));
}

}  // extern "C"
