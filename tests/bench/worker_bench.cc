// Pairs of trivial services that answer each other over real worker threads: what a dispatch costs
// without any Lua. usage: worker_bench [SECONDS-PER-LINE]

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core/mailbox.h"
#include "engine/os/os_clock.h"
#include "engine/os/worker_pool.h"

namespace skysim {
namespace {

// Answers each message with one to its partner, as ServiceContext would.
class Player final : public Runnable {
 public:
  Player(WorkerPool& pool, const Clock* cpu_clock) : pool_(pool), cpu_clock_(cpu_clock) {
    mailbox_.KeepsScheduled();
  }
  void set_partners(Player* first, Player* second) {
    partners_[0] = first;
    partners_[1] = second;
  }
  void Push(Message message) {
    if (mailbox_.Push(std::move(message))) pool_.Submit(this);
  }
  bool RunOne() override {
    Message message;
    if (mailbox_.Pop(&message)) {
      mailbox_.TakeOverload();
      pool_.NoteDispatch(1, 2);
      int64_t began_ns = cpu_clock_ == nullptr ? 0 : cpu_clock_->CpuNs();
      ++count_;
      if (!is_over) partners_[count_ & 1]->Push(std::move(message));
      if (cpu_clock_ != nullptr) cpu_ns_ += cpu_clock_->CpuNs() - began_ns;
    }
    return mailbox_.KeepsScheduled();
  }
  void Drop() override {}
  int64_t count() const { return count_; }

  static std::atomic<bool> is_over;

 private:
  WorkerPool& pool_;
  const Clock* const cpu_clock_;
  Mailbox mailbox_;
  Player* partners_[2] = {};
  int64_t count_ = 0;
  int64_t cpu_ns_ = 0;
};
std::atomic<bool> Player::is_over{false};

// `is_crossed`: every answer but one in two goes to the next pair, so that nothing stays together.
void Measure(size_t workers, int pairs, bool is_crossed, bool profiles, double seconds) {
  OsClock clock;
  WorkerPool pool(workers);
  std::vector<std::unique_ptr<Player>> players;
  Player::is_over = false;
  for (int i = 0; i < pairs * 2; ++i) {
    players.push_back(std::make_unique<Player>(pool, profiles ? &clock : nullptr));
  }
  for (int i = 0; i < pairs * 2; ++i) {
    Player* partner = players[i ^ 1].get();
    players[i]->set_partners(partner, is_crossed ? players[(i + 3) % (pairs * 2)].get() : partner);
  }
  for (int i = 0; i < pairs; ++i) players[i * 2]->Push(Message{});
  int64_t began_ns = clock.NowNs();
  pool.Start(nullptr);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  Player::is_over = true;
  int64_t passed_ns = clock.NowNs() - began_ns;
  pool.Stop();
  int64_t count = 0;
  for (std::unique_ptr<Player>& player : players) count += player->count();
  std::printf("%zu workers, %2d pairs%s%s: %6.2f M messages/s\n", workers, pairs,
              is_crossed ? ", crossed" : "         ", profiles ? ", profile" : "         ",
              static_cast<double>(count) * 1e3 / static_cast<double>(passed_ns));
}

}  // namespace
}  // namespace skysim

int main(int argc, char** argv) {
  double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
  for (size_t workers : {1, 2, 4}) {
    for (int pairs : {1, 8, 1000}) {
      skysim::Measure(workers, pairs, false, false, seconds);
      skysim::Measure(workers, pairs, false, true, seconds);
      if (pairs > 1) skysim::Measure(workers, pairs, true, false, seconds);
    }
  }
  return 0;
}
