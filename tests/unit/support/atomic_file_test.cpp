// A FileSet's files appear together or not at all, and nothing is left behind.
#include "lib/support/atomic_file.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "lib/support/error.h"

using namespace tinyml;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "tinyml-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(path), {}));
  }
  fs::path path;
};

}  // namespace

TEST_CASE("files of one set appear together", "[support]") {
  const Folder folder;
  {
    FileSet files(folder.path / "a" / "b");
    files.add("one", "1");
    files.add_elsewhere(folder.path / "report", "2");
    CHECK(folder.entries() == 0);
    CHECK(files.commit() == std::vector<std::string>{"one"});
  }
  CHECK(read_file(folder.path / "a" / "b" / "one") == "1");
  CHECK(read_file(folder.path / "report") == "2");
  CHECK(folder.entries() == 4);
}

TEST_CASE("one file that fails leaves none behind", "[support]") {
  const Folder folder;
  write_file(folder.path / "old", "before");
  for (const char* bad : {"missing/report", "/dev/full"}) {
    FileSet files(folder.path / "made");
    files.add("one", "1");
    files.add_elsewhere(folder.path / "old", "after");
    files.add_elsewhere(folder.path / bad, "2");
    CHECK_THROWS_AS(files.commit(), Error);
  }
  CHECK(folder.entries() == 1);
  CHECK(read_file(folder.path / "old") == "before");
}

TEST_CASE("two results do not go into one file", "[support]") {
  FileSet files;
  files.add_elsewhere("a/x", "1");
  files.add_elsewhere("-", "2");
  CHECK_THROWS_AS(files.add_elsewhere("a/./x", "3"), Error);
  files.add_elsewhere("/dev/null", "4");
  files.add_elsewhere("/dev/null", "5");
}

TEST_CASE("links and detours do not hide that two results go into one file", "[support]") {
  const Folder folder;
  write_file(folder.path / "old", "before");
  fs::create_symlink("old", folder.path / "link");
  fs::create_directory(folder.path / "made");
  fs::create_directory_symlink("made", folder.path / "alias");
  FileSet files(folder.path / "made");
  files.add_elsewhere(folder.path / "old", "1");
  CHECK_THROWS_AS(files.add_elsewhere(folder.path / "link", "2"), Error);
  CHECK_THROWS_AS(files.add_elsewhere(fs::relative(folder.path / "old"), "2"), Error);
  files.add("a.h", "3");
  CHECK_THROWS_AS(files.add("./a.h", "4"), Error);
  CHECK_THROWS_AS(files.add_elsewhere(folder.path / "alias" / "a.h", "4"), Error);
  files.add_elsewhere(folder.path / "alias" / "b.h", "5");
  files.commit();
  CHECK(read_file(folder.path / "old") == "1");
  CHECK(read_file(folder.path / "made" / "a.h") == "3");
  CHECK(read_file(folder.path / "made" / "b.h") == "5");
}
