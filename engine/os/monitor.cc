#include "engine/os/monitor.h"

#include "absl/strings/str_format.h"

namespace skysim {

Monitor::Monitor(const WorkerPool& pool, Node& node, const Clock& clock)
    : pool_(pool),
      node_(node),
      clock_(clock),
      looked_ns_(clock.NowNs()),
      versions_(pool.worker_count()) {}

void Monitor::OnWatch() {
  int64_t now_ns = clock_.NowNs();
  if (now_ns - looked_ns_ < kPeriodNs) return;
  looked_ns_ = now_ns;
  for (size_t worker = 0; worker < versions_.size(); ++worker) Look(worker);
}

// Only numbers are looked at: the service may end, and its object die, meanwhile.
void Monitor::Look(size_t worker) {
  WorkerPool::Turn turn = pool_.FindTurn(worker);
  if (turn.version != versions_[worker]) {
    versions_[worker] = turn.version;
    return;
  }
  if (turn.destination == 0) return;
  if (ServiceRef service = node_.registry().Find(turn.destination)) {
    service->MarkEndless();
    service.ReleaseOnWorker();  // if it just died: no service ends on the watch thread
  }
  node_.Log(0, absl::StrFormat("error: A message from [ :%08x ] to [ :%08x ] maybe in an endless "
                               "loop (version = %d)",
                               turn.source, turn.destination, static_cast<int32_t>(turn.version)));
}

}  // namespace skysim
