#include "simnet/storage/tree_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/platform/file_error.h"

namespace skysim {

namespace {

// Answers kept by Look(): far more than the modules of a program.
constexpr size_t kLookedUpMax = 4096;

// Linux: vm.dirty_expire_centisecs is 3000, vm.dirty_writeback_centisecs 500.
constexpr int64_t kWriteBackNs = 35 * int64_t{1'000'000'000};
constexpr size_t kPageBytes = 4096;

constexpr absl::string_view kTemporaryFolder = "/tmp";

std::string ParentOf(const std::string& absolute) {
  size_t slash = absolute.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : absolute.substr(0, slash);
}

// True for the folder itself and everything below it.
bool IsWithin(absl::string_view path, absl::string_view folder) {
  if (folder == "/") return true;
  return absl::StartsWith(path, folder) &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string NormaliseAbsolute(absl::string_view path) {
  std::vector<absl::string_view> parts;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string normal;
  for (absl::string_view part : parts) absl::StrAppend(&normal, "/", part);
  return normal.empty() ? "/" : normal;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const std::string>> HostFiles::Read(const std::string& path) {
  const Entry& entry = Find(path);
  if (!entry.error.ok()) return entry.error;
  return entry.content;
}

bool HostFiles::IsFolder(const std::string& path) { return Find(path).is_folder; }

const HostFiles::Entry& HostFiles::Find(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  auto found = entries_.find(path);
  if (found == entries_.end()) found = entries_.emplace(path, Load(path)).first;
  return found->second;
}

HostFiles::Entry HostFiles::Load(const std::string& path) {
  Entry entry;
  // Without O_NONBLOCK a named pipe would hold us.
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    entry.error = FileError(errno);
    return entry;
  }
  struct stat facts;
  PCHECK(fstat(descriptor, &facts) == 0) << path;
  entry.is_folder = S_ISDIR(facts.st_mode);
  std::string content;
  if (entry.is_folder) {
    entry.error = FileError(EISDIR);
  } else if (!S_ISREG(facts.st_mode)) {
    entry.error = FileError(EACCES);
  } else {
    char buffer[65536];
    ssize_t count;
    while ((count = read(descriptor, buffer, sizeof buffer)) > 0) {
      content.append(buffer, static_cast<size_t>(count));
    }
    if (count < 0) entry.error = FileError(errno);
  }
  close(descriptor);
  if (entry.error.ok()) entry.content = std::make_shared<const std::string>(std::move(content));
  return entry;
}

// The content of a file, shared by the tree and by everyone who has it open. A file of the host is
// copied when it is first written. What a power-off leaves is the first durable_bytes_ of the
// content as long as only its end grew, else a copy: so appending and syncing costs no copies.
//
// The kernel's write-back is done when somebody could tell: before the next change, and when the
// power goes. Until then nothing has changed since it took place.
class TreeStorage::Body final {
 public:
  explicit Body(std::shared_ptr<const std::string> host)
      : host_(std::move(host)), durable_bytes_(host_->size()), was_synced_(true) {}

  // A new file.
  explicit Body(int64_t now_ns) : dirty_since_ns_(now_ns) {}

  // A file whose content is durable.
  explicit Body(std::string content)
      : content_(std::move(content)), durable_bytes_(content_.size()), was_synced_(true) {}

  const std::string& content() const { return host_ != nullptr ? *host_ : content_; }
  std::shared_ptr<const std::string> SharedContent() const {
    return host_ != nullptr ? host_ : std::make_shared<const std::string>(content_);
  }
  bool was_synced() const { return was_synced_; }
  bool is_synced() const {
    return was_synced_ && !durable_copy_.has_value() && content().size() == durable_bytes_;
  }
  bool is_untouched_host_file() const { return host_ != nullptr; }

  std::string DurableContent() const {
    return durable_copy_.has_value() ? *durable_copy_ : content().substr(0, durable_bytes_);
  }

  void WriteAt(uint64_t offset, absl::string_view bytes, int64_t now_ns) {
    if (bytes.empty()) return;
    PrepareChangeAt(offset, now_ns);
    if (content_.size() < offset) content_.resize(offset, '\0');
    content_.replace(offset, std::min(bytes.size(), content_.size() - offset), bytes.data(),
                     bytes.size());
  }

  void Truncate(int64_t now_ns) {
    PrepareChangeAt(0, now_ns);
    content_.clear();
    is_truncated_ = true;
  }

  void Sync() {
    durable_copy_.reset();
    durable_bytes_ = content().size();
    was_synced_ = true;
    is_truncated_ = false;
  }

  // What has been dirty for so long is on the disk.
  void WriteBack(int64_t now_ns) {
    if (!is_synced() && now_ns - dirty_since_ns_ >= kWriteBackNs) Sync();
  }

  // How many pages of it, from the first one that differs, may have come to the disk before the
  // power went, without all having come.
  size_t TornStates() const {
    if (content().empty()) return 0;
    return (content().size() - 1) / kPageBytes - FirstTornPage() + 1;
  }

  std::string TornContent(size_t state) const {
    const size_t cut = (FirstTornPage() + state) * kPageBytes;
    std::string torn = content().substr(0, cut);
    if (was_synced_ && !is_truncated_) {
      std::string durable = DurableContent();
      if (durable.size() > cut) torn.append(durable, cut, std::string::npos);
    }
    return torn;
  }

 private:
  // A file that was made or emptied may be empty; of another one the old pages are there.
  size_t FirstTornPage() const {
    if (!was_synced_ || is_truncated_) return 0;
    return durable_copy_.has_value() ? 1 : durable_bytes_ / kPageBytes + 1;
  }

  void PrepareChangeAt(uint64_t offset, int64_t now_ns) {
    WriteBack(now_ns);
    if (is_synced()) dirty_since_ns_ = now_ns;
    if (host_ != nullptr) {
      content_ = *host_;
      host_.reset();
    }
    if (offset < durable_bytes_ && !durable_copy_.has_value()) {
      durable_copy_ = content_.substr(0, durable_bytes_);
    }
  }

  std::shared_ptr<const std::string> host_;  // until the first change
  std::string content_;
  std::optional<std::string> durable_copy_;
  size_t durable_bytes_ = 0;
  bool was_synced_ = false;
  bool is_truncated_ = false;   // since the last sync
  int64_t dirty_since_ns_ = 0;  // of a file that is not synced
};

class TreeStorage::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<Body> body, OpenMode mode, std::shared_ptr<const bool> is_abandoned,
           const EventQueue* time)
      : body_(std::move(body)),
        mode_(mode),
        is_abandoned_(std::move(is_abandoned)),
        time_(time) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
    const std::string& content = body_->content();
    if (offset >= content.size()) return std::string();
    return content.substr(offset, size);
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    if (mode_ == OpenMode::kRead) return FileError(EBADF);
    if (*is_abandoned_) return absl::OkStatus();
    body_->WriteAt(mode_ == OpenMode::kAppend ? body_->content().size() : offset, bytes,
                   time_ == nullptr ? 0 : time_->NowNs());
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override { return body_->content().size(); }

  absl::Status Sync() override {
    body_->Sync();
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<Body> body_;
  OpenMode mode_;
  std::shared_ptr<const bool> is_abandoned_;
  const EventQueue* time_;
};

// As in POSIX, a folder can be opened for reading, and then nothing works.
class TreeStorage::OpenFolder final : public File {
 public:
  absl::StatusOr<std::string> ReadAt(uint64_t, size_t) override { return FileError(EISDIR); }
  absl::Status WriteAt(uint64_t, absl::string_view) override { return FileError(EBADF); }
  absl::StatusOr<uint64_t> Size() override { return 0; }
  absl::Status Sync() override { return absl::OkStatus(); }
};

TreeStorage::TreeStorage(HostFiles& host, TreeStorageOptions options)
    : host_(host), options_(std::move(options)) {
  CHECK(absl::StartsWith(options_.working_folder, "/")) << options_.working_folder;
  options_.working_folder = NormaliseAbsolute(options_.working_folder);
  for (TreeStorageOptions::HostRoot& root : options_.roots) {
    CHECK(absl::StartsWith(root.mount, "/")) << root.mount;
    CHECK(absl::StartsWith(root.folder, "/")) << root.folder;
    root.mount = NormaliseAbsolute(root.mount);
  }
  // The innermost mount wins.
  std::stable_sort(options_.roots.begin(), options_.roots.end(), [](const auto& a, const auto& b) {
    return a.mount.size() > b.mount.size();
  });
}

TreeStorage::~TreeStorage() = default;

absl::StatusOr<std::unique_ptr<File>> TreeStorage::Open(const std::string& path, OpenMode mode) {
  if (path.empty()) return FileError(ENOENT);
  absl::StatusOr<std::shared_ptr<Body>> body = Look(path);
  if (!body.ok()) {
    if (mode == OpenMode::kRead && FileErrorNumber(body.status()) == EISDIR) {
      return std::make_unique<OpenFolder>();
    }
    bool may_create = mode != OpenMode::kRead && mode != OpenMode::kReadWrite;
    if (!may_create || FileErrorNumber(body.status()) != ENOENT) return body.status();
    std::string absolute = Normalise(path);
    absl::Status allowed = CheckCanCreate(absolute);
    if (!allowed.ok()) return allowed;
    body = std::make_shared<Body>(NowNs());
    Set(absolute, *body);
  } else if (mode == OpenMode::kTruncate) {
    (*body)->Truncate(NowNs());
  }
  return std::make_unique<OpenFile>(*body, mode, is_abandoned_, options_.time);
}

absl::StatusOr<std::shared_ptr<const std::string>> TreeStorage::ReadAll(const std::string& path) {
  if (path.empty()) return FileError(ENOENT);
  const absl::StatusOr<std::shared_ptr<Body>>& body = Look(path);
  if (!body.ok()) return body.status();
  return (*body)->SharedContent();
}

bool TreeStorage::Exists(const std::string& path) {
  if (path.empty()) return false;
  std::string absolute = Normalise(path);
  return IsFolder(absolute) || Find(absolute).ok();
}

absl::Status TreeStorage::Remove(const std::string& path) {
  if (path.empty()) return FileError(ENOENT);
  std::string absolute = Normalise(path);
  absl::StatusOr<std::shared_ptr<Body>> body = Find(absolute);
  if (!body.ok()) {
    return FileErrorNumber(body.status()) == EISDIR ? FileError(ENOTEMPTY) : body.status();
  }
  Set(absolute, nullptr);
  return absl::OkStatus();
}

absl::Status TreeStorage::Rename(const std::string& from, const std::string& to) {
  if (from.empty() || to.empty()) return FileError(ENOENT);
  std::string absolute_from = Normalise(from);
  std::string absolute_to = Normalise(to);
  absl::StatusOr<std::shared_ptr<Body>> body = Find(absolute_from);
  if (!body.ok()) {
    return FileErrorNumber(body.status()) == EISDIR ? FileError(EOPNOTSUPP) : body.status();
  }
  if (absolute_from == absolute_to) return absl::OkStatus();
  absl::Status allowed = CheckCanCreate(absolute_to);
  if (!allowed.ok()) return allowed;
  if (Find(absolute_to).ok()) (*body)->Sync();
  Set(absolute_to, *body);
  Set(absolute_from, nullptr);
  return absl::OkStatus();
}

std::optional<std::string> TreeStorage::MachinePath(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const absl::StatusOr<std::shared_ptr<Body>>& body = Look(path);
  if (!body.ok() || !(*body)->is_untouched_host_file()) return std::nullopt;
  return HostPath(Normalise(path));
}

void TreeStorage::Put(const std::string& path, absl::string_view bytes) {
  Set(Normalise(path), std::make_shared<Body>(std::string(bytes)));
}

void TreeStorage::AbandonOpenFiles() {
  *is_abandoned_ = true;
  is_abandoned_ = std::make_shared<bool>(false);
}

void TreeStorage::DropUnsynced(ChoiceSource& choices, StreamId stream) {
  enum Fate : uint64_t { kLost, kWhole, kTorn, kFates };
  looked_up_.clear();
  for (auto& [path, body] : files_) {
    if (body == nullptr) continue;
    body->WriteBack(NowNs());
    if (body->is_synced()) continue;
    uint64_t fate = choices.Choose(stream, kFates);
    const size_t states = body->TornStates();
    if (fate == kTorn && states == 0) fate = kLost;
    // A new body: who still has the file open must not reach the tree.
    if (fate == kWhole) {
      body = std::make_shared<Body>(body->content());
    } else if (fate == kTorn) {
      body = std::make_shared<Body>(body->TornContent(choices.Choose(stream, states)));
    } else {
      body = body->was_synced() ? std::make_shared<Body>(body->DurableContent()) : nullptr;
    }
  }
}

void TreeStorage::Clear() {
  looked_up_.clear();
  files_.clear();
}

std::string TreeStorage::Normalise(absl::string_view path) const {
  if (absl::StartsWith(path, "/")) return NormaliseAbsolute(path);
  return NormaliseAbsolute(absl::StrCat(options_.working_folder, "/", path));
}

const absl::StatusOr<std::shared_ptr<TreeStorage::Body>>& TreeStorage::Look(
    const std::string& path) {
  auto known = looked_up_.find(path);
  if (known != looked_up_.end()) return known->second;
  if (looked_up_.size() == kLookedUpMax) looked_up_.clear();
  return looked_up_.emplace(path, Find(Normalise(path))).first->second;
}

void TreeStorage::Set(const std::string& absolute, std::shared_ptr<Body> body) {
  looked_up_.clear();
  files_[absolute] = std::move(body);
}

absl::StatusOr<std::shared_ptr<TreeStorage::Body>> TreeStorage::Find(const std::string& absolute) {
  auto found = files_.find(absolute);
  if (found != files_.end()) {
    if (found->second == nullptr) return MissingError(absolute);
    return found->second;
  }
  std::optional<std::string> host_path = HostPath(absolute);
  if (host_path.has_value()) {
    absl::StatusOr<std::shared_ptr<const std::string>> content = host_.Read(*host_path);
    if (content.ok()) {
      auto body = std::make_shared<Body>(*std::move(content));
      files_[absolute] = body;
      return body;
    }
    int number = FileErrorNumber(content.status());
    if (number != ENOENT && number != ENOTDIR) return content.status();
  }
  return MissingError(absolute);
}

// Why there is no file at `absolute`.
absl::Status TreeStorage::MissingError(const std::string& absolute) {
  if (IsFolder(absolute)) return FileError(EISDIR);
  std::string above = ParentOf(absolute);
  while (above != "/" && !IsFolder(above)) {
    if (Find(above).ok()) return FileError(ENOTDIR);
    above = ParentOf(above);
  }
  return FileError(ENOENT);
}

absl::Status TreeStorage::CheckCanCreate(const std::string& absolute) {
  if (IsFolder(absolute)) return FileError(EISDIR);
  std::string folder = ParentOf(absolute);
  if (IsFolder(folder)) return absl::OkStatus();
  return Find(folder).ok() ? FileError(ENOTDIR) : MissingError(absolute);
}

bool TreeStorage::IsFolder(const std::string& absolute) {
  if (IsWithin(options_.working_folder, absolute) || absolute == kTemporaryFolder) return true;
  for (const TreeStorageOptions::HostRoot& root : options_.roots) {
    if (IsWithin(root.mount, absolute)) return true;
  }
  for (auto at = files_.lower_bound(absolute + "/");
       at != files_.end() && IsWithin(at->first, absolute); ++at) {
    if (at->second != nullptr) return true;
  }
  std::optional<std::string> host_path = HostPath(absolute);
  return host_path.has_value() && host_.IsFolder(*host_path);
}

std::optional<std::string> TreeStorage::HostPath(const std::string& absolute) const {
  for (const TreeStorageOptions::HostRoot& root : options_.roots) {
    if (!IsWithin(absolute, root.mount)) continue;
    absl::string_view below = absl::string_view(absolute).substr(
        root.mount == "/" ? 0 : root.mount.size());
    return absl::StrCat(root.folder, below);
  }
  return std::nullopt;
}

std::string TreeStorage::DebugString() const {
  std::string text;
  for (const auto& [path, body] : files_) {
    if (body == nullptr) {
      absl::StrAppend(&text, path, ": removed\n");
    } else if (!body->is_untouched_host_file()) {
      absl::StrAppend(&text, path, ": ", body->content().size(), " bytes",
                      body->is_synced() ? "\n" : ", unsynced\n");
    }
  }
  return text;
}

}  // namespace skysim
