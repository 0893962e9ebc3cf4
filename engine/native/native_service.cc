#include "engine/native/native_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/node.h"

namespace skysim {

NativeService::NativeService(Functions functions) : functions_(functions) {
  if (functions_.create != nullptr) instance_ = functions_.create();
}

NativeService::~NativeService() {
  if (functions_.release != nullptr) functions_.release(instance_);
}

absl::Status NativeService::Init(ServiceContext& context, const std::string& args) {
  if (functions_.create != nullptr && instance_ == nullptr) {
    return absl::InternalError("its create returned NULL");
  }
  context_.emplace(skynet_context{context, /*may_receive=*/true});
  int problem = functions_.init(instance_, &*context_, args.c_str());
  if (problem == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("its init returned ", problem));
}

void NativeService::OnMessage(Message message) {
  ServiceContext& service = context_->service;
  if (context_->callback == nullptr) {
    return service.node().AnswerDeadLetter(service.handle(), message);
  }
  int is_kept = context_->callback(&*context_, context_->user_data,
                                   static_cast<int>(message.type), message.session, message.source,
                                   message.payload.data(), message.payload.size());
  if (is_kept != 0) message.payload.Release();
}

void NativeService::OnSignal(int signal) {
  if (functions_.signal != nullptr) functions_.signal(instance_, signal);
}

}  // namespace skysim
