// Text tables: one sample a row; separated by commas, semicolons, tabs or blanks; a first row that is no numbers is a
// header; empty lines and lines that start with '#' are skipped (as numpy.savetxt writes its header). Opening makes
// one pass that notes where each row starts; reading parses the rows asked for.
#include <algorithm>

#include <charconv>
#include <cstring>
#include <limits>

#include "lib/data/samples.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view text, std::string_view what = kBlank) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

char guess_separator(std::string_view line) {
  for (const char c : {',', ';', '\t'})
    if (line.find(c) != std::string_view::npos) return c;
  return ' ';
}

// Calls visit(field) for each; a run of blanks is one separator.
template <class Visit>
void split(std::string_view line, char separator, Visit&& visit) {
  while (true) {
    const auto end = line.find(separator);
    visit(trim(trim(line.substr(0, end)), "\""));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
    if (separator == ' ') line = trim(line);
  }
}

// NaN and infinity are numbers here; whoever reads them judges.
bool parse_number(std::string_view field, double& out) {
  if (field.starts_with('+')) field.remove_prefix(1);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), out);
  if (error == std::errc::result_out_of_range) out = std::numeric_limits<double>::infinity();
  return (error == std::errc{} || error == std::errc::result_out_of_range) && end == field.data() + field.size();
}

bool is_row(std::string_view line) { return !line.empty() && line[0] != '#'; }

// Reads a source line by line in chunks. Lines are views that live until the next call.
class LineReader {
 public:
  LineReader(const ByteSource& bytes, std::uint64_t offset) : bytes_(bytes), next_(offset) {}

  bool next(std::string_view& line, std::uint64_t& offset) {
    std::size_t end = 0;
    while ((end = buffer_.find('\n', at_)) == std::string::npos && fill()) continue;
    if (end == std::string::npos) end = buffer_.size();
    if (at_ >= buffer_.size()) return false;
    offset = buffer_offset() + at_;
    line = trim(std::string_view(buffer_).substr(at_, end - at_));
    at_ = end + 1;
    return true;
  }

 private:
  std::uint64_t buffer_offset() const { return next_ - buffer_.size(); }
  bool fill() {
    constexpr std::uint64_t kChunk = 1U << 16U, kLongestLine = 1U << 26U;
    const auto n = static_cast<std::size_t>(std::min(kChunk, bytes_.size() - next_));
    if (n == 0) return false;
    buffer_.erase(0, std::min(at_, buffer_.size()));
    at_ = 0;
    if (buffer_.size() > kLongestLine) throw Error("a line has more than 64 MB", "give one sample a line");
    const std::size_t old = buffer_.size();
    buffer_.resize(old + n);
    bytes_.read(next_, std::as_writable_bytes(std::span(buffer_).subspan(old)));
    next_ += n;
    return true;
  }

  const ByteSource& bytes_;
  std::uint64_t next_;  // offset of the first byte that is not in the buffer
  std::string buffer_;
  std::size_t at_ = 0;
};

std::size_t count_fields(std::string_view line, char separator) {
  std::size_t count = 0;
  split(line, separator, [&](std::string_view) { ++count; });
  return count;
}

bool is_header(std::string_view line, char separator) {
  bool numbers = true;
  double ignored = 0;
  split(line, separator, [&](std::string_view field) { numbers = numbers && parse_number(field, ignored); });
  return !numbers;
}

class CsvSamples final : public Samples {
 public:
  explicit CsvSamples(std::shared_ptr<const ByteSource> bytes) : bytes_(std::move(bytes)) { index(); }

  std::size_t count() const override { return rows_.size(); }
  DType dtype() const override { return DType::f64; }
  const Dims& dims() const override { return dims_; }
  bool is_flat() const override { return true; }
  std::string sample_name(std::size_t i) const override { return "line " + std::to_string(rows_.at(i).line); }

  void read(std::size_t first, std::size_t count, std::span<std::byte> out) override {
    std::byte* to = out.data();
    LineReader reader(*bytes_, first < rows_.size() ? rows_[first].offset : 0);
    std::string_view line;
    std::uint64_t offset = 0;
    for (std::size_t i = first; i < first + count && reader.next(line, offset);) {
      if (offset != rows_[i].offset) continue;  // an empty line or a remark
      split(line, separator_, [&](std::string_view field) {
        double value = 0;
        if (!parse_number(field, value)) bad_field(i, field);
        std::memcpy(to, &value, sizeof value);
        to += sizeof value;
      });
      ++i;
    }
  }

 private:
  struct Row {
    std::uint64_t offset = 0, line = 0;
  };

  void index() {
    static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::string start(std::min<std::uint64_t>(3, bytes_->size()), '\0');
    bytes_->read(0, std::as_writable_bytes(std::span(start)));
    LineReader reader(*bytes_, start == kByteOrderMark ? 3 : 0);
    std::string_view line;
    std::uint64_t number = 0;
    bool first = true;
    for (Row row; reader.next(line, row.offset);) {
      row.line = ++number;
      if (!is_row(line)) continue;
      if (first) separator_ = guess_separator(line);
      const bool header = first && is_header(line, separator_);
      first = false;
      if (!header) add(row, count_fields(line, separator_));
    }
    if (rows_.empty()) dims_ = {0};
  }

  void add(const Row& row, std::size_t fields) {
    if (rows_.empty()) dims_ = {static_cast<std::int64_t>(fields)};
    if (static_cast<std::int64_t>(fields) != dims_[0])
      throw Error("line " + std::to_string(row.line) + " has " + std::to_string(fields) + " values, the rows before " +
                      std::to_string(dims_[0]),
                  "give one sample a row, all of the same length");
    rows_.push_back(row);
  }

  [[noreturn]] void bad_field(std::size_t row, std::string_view field) const {
    throw Error(sample_name(row) + ": '" + printable(std::string(field.substr(0, 40))) + "' is no number",
                "only the first row may be a header");
  }

  std::shared_ptr<const ByteSource> bytes_;
  char separator_ = ',';
  std::vector<Row> rows_;
  Dims dims_;
};

}  // namespace

std::unique_ptr<Samples> open_csv(std::shared_ptr<const ByteSource> bytes) {
  return std::make_unique<CsvSamples>(std::move(bytes));
}

}  // namespace tinyml
