#include "engine/os/os_storage.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

struct Fixture {
  Fixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "os_XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~Fixture() { std::filesystem::remove_all(folder); }

  OsStorage storage;
  std::string folder;
};

TEST_CASE_METHOD(Fixture, "os files keep what is written at an offset") {
  {
    auto file = storage.Open(folder + "/f", Storage::OpenMode::kCreate).value();
    CHECK(file->WriteAt(2, "hello").ok());
    CHECK(file->Sync().ok());
    CHECK(file->Size().value() == 7);
    CHECK(file->ReadAt(4, 2).value() == "ll");
    CHECK(file->ReadAt(7, 2).value().empty());
  }
  CHECK(*storage.ReadAll(folder + "/f").value() == std::string("\0\0hello", 7));
}

TEST_CASE_METHOD(Fixture, "os files append and truncate") {
  auto file = storage.Open(folder + "/f", Storage::OpenMode::kAppend).value();
  CHECK(file->WriteAt(0, "a").ok());
  CHECK(file->WriteAt(0, "b").ok());
  CHECK(*storage.ReadAll(folder + "/f").value() == "ab");

  CHECK(storage.Open(folder + "/f", Storage::OpenMode::kTruncate).ok());

  CHECK(storage.ReadAll(folder + "/f").value()->empty());
}

TEST_CASE_METHOD(Fixture, "os errors carry the system's text") {
  CHECK(storage.ReadAll(folder + "/none").status().message() == "No such file or directory");
  CHECK(storage.ReadAll(folder + "/none").status().code() == absl::StatusCode::kNotFound);
  CHECK(storage.ReadAll(folder).status().message() == "Is a directory");
  CHECK(storage.Open(folder, Storage::OpenMode::kReadWrite).status().message() ==
        "Is a directory");
  CHECK(storage.Remove(folder + "/none").message() == "No such file or directory");
}

TEST_CASE_METHOD(Fixture, "os files are renamed and removed") {
  CHECK(storage.Open(folder + "/a", Storage::OpenMode::kCreate).ok());

  CHECK(storage.Rename(folder + "/a", folder + "/b").ok());

  CHECK_FALSE(storage.Exists(folder + "/a"));
  CHECK(storage.Exists(folder + "/b"));
  CHECK(storage.Remove(folder + "/b").ok());
  CHECK_FALSE(storage.Exists(folder + "/b"));
}

TEST_CASE_METHOD(Fixture, "the machine's path of an os file is the path, of a folder none") {
  storage.Open(folder + "/f", Storage::OpenMode::kCreate).value();

  CHECK(storage.MachinePath(folder + "/f") == folder + "/f");
  CHECK(storage.MachinePath(folder) == std::nullopt);
  CHECK(storage.MachinePath(folder + "/none") == std::nullopt);
}

}  // namespace
}  // namespace skysim
