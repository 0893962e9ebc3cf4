#ifndef ENGINE_LUA_SERVICE_IMAGE_H_
#define ENGINE_LUA_SERVICE_IMAGE_H_

#include <functional>
#include <memory>

#include "absl/base/call_once.h"
#include "engine/platform/entropy.h"
#include "tools/third_party/lua/state_image.h"

namespace skysim {

// ServiceImage is the state of a service before it is anybody's: libraries open, sandbox prepared,
// modules preloaded, the code of the library there. The first service of a node makes it, and every
// service begins as a copy (tools/third_party/lua/state_image.h). One per life of a node; outlives
// its services. Any thread: who comes while it is made waits.
//
// It is made on the C heap, so that the addresses which services see do not depend on which of them
// came first. It fixes the seed of the string hashes: the services of one node have the same, as
// those of a process of skynet have, and nodes and runs differ.
class ServiceImage final {
 public:
  ServiceImage() = default;
  ServiceImage(const ServiceImage&) = delete;
  ServiceImage& operator=(const ServiceImage&) = delete;

  // `make` gets the seed of the hashes; only the first call's is used.
  using Make = std::function<std::unique_ptr<const StateImage>(unsigned seed)>;
  const StateImage& Get(Entropy& entropy, const Make& make) {
    absl::call_once(once_, [&] { image_ = make(static_cast<unsigned>(entropy.Draw("hash"))); });
    return *image_;
  }

 private:
  absl::once_flag once_;
  std::unique_ptr<const StateImage> image_;
};

}  // namespace skysim

#endif  // ENGINE_LUA_SERVICE_IMAGE_H_
