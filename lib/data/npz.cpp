// .npz is a zip archive of .npy files (APPNOTE.TXT 6.3, with its 64-bit extension, which NumPy writes for any size).
// Stored entries are read in place; deflated ones are unpacked once, into memory.
#include <zlib.h>

#include <array>
#include <vector>

#include "lib/data/samples.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

// A compressed array is held whole, so that it must stay well below the memory that we want to need at all.
constexpr std::uint64_t kMostUnpacked = std::uint64_t{512} << 20U;
constexpr std::uint64_t kMostDeflateRatio = 1032;  // zlib's own documentation: deflate cannot pack better

struct Entry {
  std::string name;
  unsigned method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, unpacked = 0, header_offset = 0;
};

[[noreturn]] void malformed(const std::string& what) {
  throw Error("not a valid .npz file: " + what, "write it again with numpy.savez");
}

std::uint64_t little(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  if (at + count > bytes.size()) malformed("a record ends early");
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

std::vector<std::byte> read_part(const ByteSource& bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) malformed("the archive ends early");
  std::vector<std::byte> part(size);
  bytes.read(offset, part);
  return part;
}

struct Directory {
  std::uint64_t offset = 0, size = 0;
};

// The end record stands at the end, before a comment of at most 65535 bytes.
Directory find_directory(const ByteSource& archive) {
  constexpr std::uint64_t kEnd = 22, kLocator = 20, kLongestComment = 65535;
  const std::uint64_t tail_size = std::min(archive.size(), kEnd + kLongestComment);
  const std::uint64_t tail_offset = archive.size() - tail_size;
  const auto tail = read_part(archive, tail_offset, tail_size);
  for (std::uint64_t at = tail_size < kEnd ? 0 : tail_size - kEnd + 1; at-- > 0;) {
    if (little(tail, at, 4) != 0x06054b50U) continue;
    Directory found{little(tail, at + 16, 4), little(tail, at + 12, 4)};
    const std::uint64_t end = tail_offset + at;
    if (found.offset != 0xffffffffU || end < kLocator) return found;
    const auto locator = read_part(archive, end - kLocator, kLocator);
    if (little(locator, 0, 4) != 0x07064b50U) malformed("no 64-bit directory");
    const auto record = read_part(archive, little(locator, 8, 8), 56);
    return {little(record, 48, 8), little(record, 40, 8)};
  }
  malformed("no directory; the file is truncated or no zip archive");
}

// Sizes that do not fit in 32 bits are in an extra field, in the order of those that overflow.
void apply_zip64(std::span<const std::byte> extra, Entry& entry) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto id = little(extra, at, 2), size = little(extra, at + 2, 2);
    at += 4;
    if (id == 1) {
      std::size_t field = at;
      for (std::uint64_t* value : {&entry.unpacked, &entry.packed, &entry.header_offset}) {
        if (*value != 0xffffffffU) continue;
        *value = little(extra, field, 8);
        field += 8;
      }
    }
    at += size;
  }
}

std::vector<Entry> read_directory(const ByteSource& archive) {
  constexpr std::uint64_t kMostDirectory = std::uint64_t{1} << 24U;
  const Directory where = find_directory(archive);
  if (where.size > kMostDirectory) malformed("absurd directory");
  const auto bytes = read_part(archive, where.offset, where.size);
  const std::span<const std::byte> all(bytes);
  std::vector<Entry> entries;
  for (std::size_t at = 0; at + 46 <= all.size() && little(all, at, 4) == 0x02014b50U;) {
    Entry entry;
    entry.method = static_cast<unsigned>(little(all, at + 10, 2));
    entry.crc = static_cast<std::uint32_t>(little(all, at + 16, 4));
    entry.packed = little(all, at + 20, 4);
    entry.unpacked = little(all, at + 24, 4);
    entry.header_offset = little(all, at + 42, 4);
    const auto name = little(all, at + 28, 2), extra = little(all, at + 30, 2), comment = little(all, at + 32, 2);
    if (at + 46 + name + extra > all.size()) malformed("a record ends early");
    entry.name.assign(reinterpret_cast<const char*>(all.data()) + at + 46, name);
    apply_zip64(all.subspan(at + 46 + name, extra), entry);
    entries.push_back(std::move(entry));
    at += 46 + name + extra + comment;
  }
  return entries;
}

std::string key_of(const Entry& entry) {
  const std::string suffix = ".npy";
  const bool has = entry.name.size() > suffix.size() && entry.name.ends_with(suffix);
  return has ? entry.name.substr(0, entry.name.size() - suffix.size()) : entry.name;
}

const Entry& choose(const std::vector<Entry>& entries, const std::string& key) {
  if (entries.empty()) throw Error("the archive holds no array", "write it again with numpy.savez");
  std::string known;
  for (const Entry& entry : entries) {
    if (!key.empty() && (key_of(entry) == key || entry.name == key)) return entry;
    known += (known.empty() ? "" : ", ") + printable(key_of(entry));
  }
  if (key.empty() && entries.size() == 1) return entries[0];
  const std::string what = key.empty() ? "the archive holds several arrays" : "no array '" + printable(key) + "'";
  throw Error(what + "; it holds: " + known, "name one: FILE.npz:KEY");
}

std::string inflate_entry(const ByteSource& packed, const Entry& entry) {
  if (entry.unpacked > kMostUnpacked)
    throw Error("array '" + printable(key_of(entry)) + "' unpacks to " + std::to_string(entry.unpacked) + " bytes",
                "save it uncompressed with numpy.savez: then it is read in parts");
  if (entry.unpacked > entry.packed * kMostDeflateRatio + 64) malformed("a size that cannot be");
  std::string out(entry.unpacked, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  std::array<std::byte, 65536> chunk{};
  int state = Z_OK;
  for (std::uint64_t at = 0; at < packed.size() && state == Z_OK;) {
    const std::size_t n = std::min<std::uint64_t>(chunk.size(), packed.size() - at);
    packed.read(at, std::span(chunk).first(n));
    stream.next_in = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_in = static_cast<uInt>(n);
    state = ::inflate(&stream, Z_NO_FLUSH);
    at += n;
  }
  const std::uint64_t produced = stream.total_out;
  ::inflateEnd(&stream);
  const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(out.data()), out.size());
  if (state != Z_STREAM_END || produced != entry.unpacked || crc != entry.crc)
    malformed("array '" + printable(key_of(entry)) + "' is damaged");
  return out;
}

}  // namespace

std::shared_ptr<const ByteSource> open_npz_entry(const std::shared_ptr<const ByteSource>& archive,
                                                 const std::string& key) {
  const auto entries = read_directory(*archive);
  const Entry& entry = choose(entries, key);
  const auto header = read_part(*archive, entry.header_offset, 30);
  if (little(header, 0, 4) != 0x04034b50U) malformed("an entry is not where the directory says");
  const std::uint64_t offset = entry.header_offset + 30 + little(header, 26, 2) + little(header, 28, 2);
  auto packed = slice_bytes(archive, offset, entry.packed);
  constexpr unsigned kStored = 0, kDeflated = 8;
  if (entry.method == kStored) return packed;
  if (entry.method == kDeflated) return memory_bytes(inflate_entry(*packed, entry));
  throw Error("array '" + printable(key_of(entry)) + "' is packed by method " + std::to_string(entry.method),
              "write it with numpy.savez or numpy.savez_compressed");
}

}  // namespace tinyml
