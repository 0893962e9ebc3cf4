#ifndef SIMNET_STORAGE_TREE_STORAGE_H_
#define SIMNET_STORAGE_TREE_STORAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/storage.h"
#include "simnet/choice/choice_source.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// HostFiles reads files of the machine and keeps them: each is read once per process, so that ten
// thousand runs neither reread the project nor see it change between two of them. Owned by main,
// lent to every TreeStorage. Any thread.
class HostFiles final {
 public:
  HostFiles() = default;
  HostFiles(const HostFiles&) = delete;
  HostFiles& operator=(const HostFiles&) = delete;

  // The content of the regular file at `path`; an error of FileError otherwise.
  absl::StatusOr<std::shared_ptr<const std::string>> Read(const std::string& path);

  bool IsFolder(const std::string& path);

 private:
  struct Entry {
    bool is_folder = false;
    absl::Status error;
    std::shared_ptr<const std::string> content;
  };

  const Entry& Find(const std::string& path);
  static Entry Load(const std::string& path);

  absl::Mutex mutex_;
  // Never changed once it is there.
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

struct TreeStorageOptions {
  // A folder of the machine that a node can read, at `mount` in the node's tree. Both absolute. A
  // mount that is not the folder's own path keeps the machine's paths out of what services see.
  struct HostRoot {
    std::string mount;
    std::string folder;
  };

  // Where relative paths start: an absolute path of the node's tree.
  std::string working_folder = "/";
  std::vector<HostRoot> roots;
  // What write-back goes by. Borrowed; null: time stands still.
  const EventQueue* time = nullptr;
};

// TreeStorage is the file tree of one simulated node: files in memory laid over folders of the
// machine, which are only read. What the node writes, creates, truncates, renames and removes
// happens in memory.
//
// Power-off: a write is in the machine's memory at first. It is on the disk after File::Sync(),
// which Lua's io cannot ask for (flush and close stop at the kernel), or when the kernel has
// written it back by itself. Linux: what has been dirty for 30 s (vm.dirty_expire_centisecs) is
// written at the next of the rounds that come each 5 s (vm.dirty_writeback_centisecs), with all
// that the file has by then. Of what is younger a power-off leaves, file by file and as the seed
// says: nothing (0); all, if some pressure had it written earlier; or a part, since the pages of a
// file are written in order and the power may go in between. A part ends at a page of 4096 bytes:
// of a file that grew, the new end is cut there; one that was made or emptied first may be empty;
// one that was written over is old from there on.
//
// Names are durable at once: a removal or a renaming stays. A file that takes the place of another
// by renaming is written back first (ext4: auto_da_alloc), so that writing beside and renaming is
// safe, as services expect. This leaves out that a name may be lost as long as the journal is not
// written (5 s), that the old file may then be back, and file systems that keep no such order.
//
// Folders cannot be made. A folder exists where the machine has one, where a file lies below it,
// where something is mounted, at the working folder, and at /tmp. There are no rights, links or
// devices.
//
// One thread. Open files may outlive what Clear() and DropUnsynced() take from the tree (they keep
// the old content), not the HostFiles.
class TreeStorage final : public Storage {
 public:
  // `host` must outlive the storage.
  TreeStorage(HostFiles& host, TreeStorageOptions options);
  ~TreeStorage() override;
  TreeStorage(const TreeStorage&) = delete;
  TreeStorage& operator=(const TreeStorage&) = delete;

  // See Storage. Errors are those of FileError: ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EBADF (writing
  // to a file opened with kRead), EOPNOTSUPP (renaming a folder), and what reading the host gave.
  // With kAppend every write goes to the end.
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  std::optional<std::string> MachinePath(const std::string& path) override;

  // The world puts a file, with its folders, as if it had always been there.
  void Put(const std::string& path, absl::string_view bytes);

  // The process is killed: what its files that are open now are given from now on (by whatever
  // tidies it up) reaches nobody.
  void AbandonOpenFiles();

  // The machine lost power, see above. `stream`: of the choices, one or two for each file that the
  // disk did not have as it was.
  void DropUnsynced(ChoiceSource& choices, StreamId stream);

  // The disk is new: only the host's files are left.
  void Clear();

  // The absolute path that `path` means in this tree, without ".", ".." and double slashes.
  std::string Normalise(absl::string_view path) const;

  // Files that differ from the host's, in the order of their paths: size, "unsynced", "removed".
  std::string DebugString() const;

 private:
  class Body;
  class OpenFile;
  class OpenFolder;

  // What is at a path as it was given: the common way in.
  const absl::StatusOr<std::shared_ptr<Body>>& Look(const std::string& path);
  absl::StatusOr<std::shared_ptr<Body>> Find(const std::string& absolute);
  // Changes what is at a path. Null: removed.
  void Set(const std::string& absolute, std::shared_ptr<Body> body);
  int64_t NowNs() const { return options_.time == nullptr ? 0 : options_.time->NowNs(); }
  absl::Status MissingError(const std::string& absolute);
  absl::Status CheckCanCreate(const std::string& absolute);
  bool IsFolder(const std::string& absolute);
  std::optional<std::string> HostPath(const std::string& absolute) const;

  HostFiles& host_;
  TreeStorageOptions options_;
  // Every file that was opened or put. Null: removed.
  std::map<std::string, std::shared_ptr<Body>> files_;
  // True once the process that opened files with it was killed.
  std::shared_ptr<bool> is_abandoned_ = std::make_shared<bool>(false);
  // What Look() found since the tree last changed. A service that starts looks for its modules in
  // many places where they are not. Never iterated.
  absl::flat_hash_map<std::string, absl::StatusOr<std::shared_ptr<Body>>> looked_up_;
};

}  // namespace skysim

#endif  // SIMNET_STORAGE_TREE_STORAGE_H_
