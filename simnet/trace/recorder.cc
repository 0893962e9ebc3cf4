#include "simnet/trace/recorder.h"

#include <utility>

#include "simnet/trace/digest.h"

namespace skysim {
namespace {

bool IsSame(const RecordedEvent& expected, int64_t time_ns, uint32_t node, const Event& actual,
            uint64_t bytes_hash) {
  return expected.time_ns == time_ns && expected.node == node && expected.kind == actual.kind &&
         expected.type == actual.type && expected.service == actual.service &&
         expected.peer == actual.peer && expected.session == actual.session &&
         expected.size == actual.size && expected.cause == actual.cause &&
         expected.bytes_hash == bytes_hash && expected.text == actual.text;
}

RecordedEvent Copy(uint64_t index, int64_t time_ns, uint32_t node, const Event& event,
                   uint64_t bytes_hash) {
  return RecordedEvent{index,        time_ns,     node,        event.kind,
                       event.type,   event.service, event.peer, event.session,
                       event.size,   event.cause, bytes_hash,  std::string(event.text)};
}

}  // namespace

class Recorder::NodeObserver final : public Observer {
 public:
  NodeObserver(Impl& impl, uint32_t node) : impl_(impl), node_(node) {}
  uint64_t Record(const Event& event) override;

 private:
  Impl& impl_;
  const uint32_t node_;
};

class Recorder::Impl final {
 public:
  Impl(const EventQueue& clock, Options options) : clock_(clock), options_(options) {
    if (options.expected != nullptr) expected_.emplace(options.expected->begin());
  }

  Observer& AddNode(absl::string_view name) {
    uint32_t node = static_cast<uint32_t>(names_.size());
    names_.emplace_back(name);
    observers_.push_back(std::make_unique<NodeObserver>(*this, node));
    return *observers_.back();
  }

  uint64_t Record(uint32_t node, const Event& event) {
    int64_t time_ns = clock_.NowNs();
    uint64_t bytes_hash = event.bytes.empty() ? 0 : HashBytes(event.bytes);
    digest_.Fold(time_ns, node, event, bytes_hash);
    ++count_;
    if (options_.keeps_events) Keep(time_ns, node, event, bytes_hash);
    if (expected_.has_value()) Compare(time_ns, node, event, bytes_hash);
    if (options_.listener != nullptr) options_.listener->OnEvent(node, event);
    return count_;
  }

  void Finish() {
    if (!expected_.has_value() || *expected_ == options_.expected->end()) return;
    divergence_ = Divergence{**expected_, std::nullopt};
    expected_.reset();
  }

  uint64_t count() const { return count_; }
  uint64_t digest() const { return digest_.value(); }
  const EventLog& log() const { return log_; }
  const std::vector<std::string>& names() const { return names_; }
  const std::optional<Divergence>& divergence() const { return divergence_; }
  Observer& world() { return *observers_[0]; }

 private:
  void Keep(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash) {
    if (log_.size() < options_.kept_max) {
      log_.Append(time_ns, node, event, bytes_hash);
    } else {
      log_.Drop();
    }
  }

  // Once two runs have parted, all that follows differs: comparing ends with the first difference,
  // or where the recorded run was no longer kept.
  void Compare(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash) {
    std::optional<RecordedEvent> wanted;
    if (*expected_ != options_.expected->end()) {
      if (IsSame(**expected_, time_ns, node, event, bytes_hash)) {
        ++*expected_;
        return;
      }
      wanted = **expected_;
    } else if (options_.expected->dropped() > 0) {
      expected_.reset();
      return;
    }
    divergence_ = Divergence{wanted, Copy(count_, time_ns, node, event, bytes_hash)};
    expected_.reset();
  }

  const EventQueue& clock_;
  const Options options_;
  EventDigest digest_;
  uint64_t count_ = 0;
  EventLog log_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<NodeObserver>> observers_;
  std::optional<EventLog::Iterator> expected_;  // the next one; empty: nothing (more) to compare
  std::optional<Divergence> divergence_;
};

uint64_t Recorder::NodeObserver::Record(const Event& event) { return impl_.Record(node_, event); }

Recorder::Recorder(const EventQueue& events, Options options)
    : impl_(std::make_unique<Impl>(events, options)) {
  impl_->AddNode("world");
}

Recorder::~Recorder() = default;

Observer& Recorder::AddNode(absl::string_view name) { return impl_->AddNode(name); }
Observer& Recorder::world() { return impl_->world(); }
const std::vector<std::string>& Recorder::node_names() const { return impl_->names(); }
uint64_t Recorder::count() const { return impl_->count(); }
uint64_t Recorder::digest() const { return impl_->digest(); }
const EventLog& Recorder::events() const { return impl_->log(); }
const std::optional<Divergence>& Recorder::divergence() const { return impl_->divergence(); }
void Recorder::Finish() { impl_->Finish(); }

}  // namespace skysim
