// Any bytes as a frame: the parsers refuse it, or building from what they read gives the same
// frame.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "engine/wire/cluster_codec.h"

namespace skysim {
namespace {

// Whether our builders make this frame: they do not for sessions and sizes that only others send.
bool IsOurs(const ClusterRequest& request) {
  if (request.kind != ClusterRequest::Kind::kWhole) return false;
  return request.session <= static_cast<uint32_t>(kClusterSessionMax) &&
         request.payload.size() < kClusterLargeRequestBytes;
}

void CheckRequest(absl::string_view frame) {
  const auto request = ParseClusterRequest(frame);
  if (!request.ok() || !IsOurs(*request)) return;
  const auto intent = request->is_push ? ClusterIntent::kPush : ClusterIntent::kRequest;
  const int64_t session = request->is_push ? 1 : request->session;
  const auto built = BuildClusterRequest(intent, request->address, session, request->payload);
  CHECK_OK(built.status());
  CHECK_EQ(absl::string_view(built->head).substr(2), frame);
}

void CheckReply(absl::string_view frame) {
  const auto reply = ParseClusterReply(frame);
  if (!reply.ok() || reply->payload.size() > kClusterPartBytes) return;
  if (reply->kind == ClusterReplyKind::kError) {
    CHECK_EQ(absl::string_view(BuildClusterError(reply->session, reply->payload)).substr(2), frame);
  } else if (reply->kind == ClusterReplyKind::kOk) {
    const auto built = BuildClusterReply(reply->session, reply->payload);
    CHECK_OK(built.status());
    CHECK_EQ(absl::string_view((*built)[0]).substr(2), frame);
  }
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view frame(reinterpret_cast<const char*>(data), size);
  skysim::CheckRequest(frame);
  skysim::CheckReply(frame);
  return 0;
}
