#include "tools/worker_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "simnet/trace/bytes.h"

// Seeds are counted as steps from the first one, so that a range may end at the last seed there is.
// A worker needs no orders: it knows its steps, and which one it died in follows from what it
// reported. A report is its length in four bytes, then the bytes.

namespace skysim {
namespace {

constexpr int kTickMs = 100;
constexpr size_t kReadBytes = 64 << 10;

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat("the sweep cannot ", what, ": ", strerror(errno)));
}

// Turns SIGINT and SIGTERM into something that can be read, for as long as it lives.
class Interrupts final {
 public:
  Interrupts() {
    sigemptyset(&wanted_);
    sigaddset(&wanted_, SIGINT);
    sigaddset(&wanted_, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted_, &before_);
    file_ = signalfd(-1, &wanted_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Interrupts() {
    if (file_ >= 0) {
      HasCome();  // else it would end this process now
      close(file_);
    }
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int file() const { return file_; }
  bool HasCome() {
    signalfd_siginfo info;
    while (read(file_, &info, sizeof info) > 0) has_come_ = true;
    return has_come_;
  }

 private:
  sigset_t wanted_, before_;
  int file_ = -1;
  bool has_come_ = false;
};

bool WriteAll(int file, absl::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(file, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  }
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

class Worker final {
 public:
  // `step` is the first one it works on.
  Worker(pid_t pid, int file, uint64_t step) : pid_(pid), file_(file), step_(step) {}
  ~Worker() { End(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int file() const { return file_; }
  // The step whose result comes next.
  uint64_t step() const { return step_; }
  void Advance(uint64_t steps) { step_ += steps; }

  // False at the end of what the process wrote.
  bool Read() {
    size_t had = buffer_.size();
    buffer_.resize(had + kReadBytes);
    ssize_t n;
    do {
      n = read(file_, &buffer_[had], kReadBytes);
    } while (n < 0 && errno == EINTR);
    buffer_.resize(had + (n > 0 ? static_cast<size_t>(n) : 0));
    return n > 0;
  }

  // The next whole report, valid until Read(). False if there is none.
  bool TakeReport(absl::string_view* report) {
    absl::string_view unread = absl::string_view(buffer_).substr(taken_);
    ByteReader reader(unread);
    uint64_t size = reader.U32();
    if (!reader.ok() || reader.left() < size) {
      buffer_.erase(0, taken_);
      taken_ = 0;
      return false;
    }
    *report = unread.substr(4, size);
    taken_ += 4 + size;
    return true;
  }

  // Ends the process if it has not ended; its wait status.
  int End() {
    if (pid_ == 0) return 0;
    int status = 0;
    kill(pid_, SIGKILL);  // no harm if it ended by itself: it is a zombie until waited for
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    close(file_);
    pid_ = 0;
    return status;
  }
  // Waits until it ends by itself.
  int Join() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    close(file_);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  int file_;
  uint64_t step_;
  std::string buffer_;
  size_t taken_ = 0;  // of buffer_
};

class Pool final {
 public:
  Pool(SeedRange range, int jobs, const std::function<SeedWork()>& make_work, WorkerPoolSink& sink)
      : range_(range), steps_last_(range.last - range.first), stride_(static_cast<uint64_t>(jobs)),
        make_work_(make_work), sink_(sink) {}

  absl::StatusOr<PoolEnd> Run() {
    if (interrupts_.file() < 0) return SystemError("catch signals");
    for (uint64_t step = 0; step < stride_ && step <= steps_last_; ++step) {
      absl::Status started = Start(step);
      if (!started.ok()) return started;
    }
    while (!workers_.empty()) {
      absl::StatusOr<bool> goes_on = WaitOnce();
      if (!goes_on.ok()) return goes_on.status();
      if (interrupts_.HasCome()) return PoolEnd::kInterrupted;
      if (!*goes_on) return PoolEnd::kStopped;
      sink_.OnTick();
    }
    return PoolEnd::kDone;
  }

 private:
  bool HasAfter(uint64_t step) const { return steps_last_ - step >= stride_; }

  absl::Status Start(uint64_t step) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("make a pipe");
    std::cout.flush();  // or the worker would write what is still buffered once more
    std::cerr.flush();
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);  // it died before we asked
      close(ends[0]);
      Work(step, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
      close(ends[0]);
      return SystemError("start a process");
    }
    workers_.push_back(std::make_unique<Worker>(pid, ends[0], step));
    return absl::OkStatus();
  }

  // In the worker process.
  [[noreturn]] void Work(uint64_t step, int file) {
    SeedWork work = make_work_();
    for (;; step += stride_) {
      std::string result = work(range_.first + step);
      ByteWriter length;
      length.U32(static_cast<uint32_t>(result.size()));
      if (!WriteAll(file, absl::StrCat(length.bytes(), result))) _exit(1);
      if (!HasAfter(step)) _exit(0);
    }
  }

  // False: the sink stopped us.
  absl::StatusOr<bool> WaitOnce() {
    std::vector<pollfd> files = {{interrupts_.file(), POLLIN, 0}};
    for (const auto& worker : workers_) files.push_back({worker->file(), POLLIN, 0});
    if (poll(files.data(), files.size(), kTickMs) < 0 && errno != EINTR) return SystemError("wait");
    // From behind, because a worker that ended leaves the list.
    for (size_t i = files.size() - 1; i > 0; --i) {
      if (files[i].revents == 0) continue;
      absl::StatusOr<bool> goes_on = Serve(i - 1);
      if (!goes_on.ok() || !*goes_on) return goes_on;
    }
    return true;
  }

  absl::StatusOr<bool> Serve(size_t index) {
    Worker& worker = *workers_[index];
    bool is_open = worker.Read();
    absl::string_view report;
    while (worker.TakeReport(&report)) {
      uint64_t step = worker.step();
      bool goes_on = sink_.OnResult(range_.first + step, report);
      if (!HasAfter(step)) {
        worker.Join();
        workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(index));
        return goes_on;
      }
      worker.Advance(stride_);
      if (!goes_on) return false;
    }
    return is_open ? true : Replace(index);
  }

  // The worker ended before its time.
  absl::StatusOr<bool> Replace(size_t index) {
    std::unique_ptr<Worker> worker = std::move(workers_[index]);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(index));
    uint64_t step = worker->step();
    if (!sink_.OnCrash(range_.first + step, HowItEnded(worker->Join()))) return false;
    if (!HasAfter(step)) return true;
    absl::Status started = Start(step + stride_);
    if (!started.ok()) return started;
    return true;
  }

  const SeedRange range_;
  const uint64_t steps_last_, stride_;
  const std::function<SeedWork()>& make_work_;
  WorkerPoolSink& sink_;
  Interrupts interrupts_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

absl::StatusOr<PoolEnd> RunWorkerPool(SeedRange range, int jobs,
                                      const std::function<SeedWork()>& make_work,
                                      WorkerPoolSink& sink) {
  Pool pool(range, jobs, make_work, sink);
  return pool.Run();
}

}  // namespace skysim
