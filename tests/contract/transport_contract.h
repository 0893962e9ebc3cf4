#ifndef TESTS_CONTRACT_TRANSPORT_CONTRACT_H_
#define TESTS_CONTRACT_TRANSPORT_CONTRACT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/transport.h"

namespace skysim {

// What the test and the transports' threads share: one lock around all calls and callbacks, as a
// socket server has it, and how often a sink was called.
struct ContractMonitor {
  absl::Mutex mutex;
  int64_t callbacks ABSL_GUARDED_BY(mutex) = 0;
};

// Two transports that reach each other, of node 0 and node 1, for the contract below.
class TransportWorld {
 public:
  virtual ~TransportWorld() = default;
  virtual Transport& transport(int node) = 0;
  virtual std::string ip(int node) = 0;
  virtual std::string name(int node) = 0;  // resolves to ip(node) on both; nobody is "nowhere"
  virtual bool has_ipv6() = 0;

  // The sinks are set: callbacks may begin.
  virtual void Begin() = 0;
  // Lets the world go on until something may have happened since the `callbacks`-th callback: one
  // event of a simulation, or the next callback from a thread. False: nothing comes any more
  // (simulated), or nothing came for so long that the test has failed (real).
  virtual bool Step(ContractMonitor& monitor, int64_t callbacks) = 0;
  // Time that a message takes at most. Real: no time at all; the contract lets bytes go to and fro
  // on another connection instead.
  virtual void PassTime() = 0;
};

using MakeTransportWorld = std::function<std::unique_ptr<TransportWorld>()>;

// What transport.h promises, in groups. Each transport's test calls each function within a
// TEST_CASE of its own; each section begins with a fresh world.
//
// Left to the transports, because they differ by nature: where the stream is cut, how long
// anything takes, how much the buffers hold, Adopt(), causes, the order of waiting connections.
void CheckConnecting(const MakeTransportWorld& make);
void CheckListening(const MakeTransportWorld& make);
void CheckReadiness(const MakeTransportWorld& make);
void CheckStreams(const MakeTransportWorld& make);
void CheckBreaks(const MakeTransportWorld& make);
void CheckDatagrams(const MakeTransportWorld& make);
void CheckNames(const MakeTransportWorld& make);

}  // namespace skysim

#endif  // TESTS_CONTRACT_TRANSPORT_CONTRACT_H_
