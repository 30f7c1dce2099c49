// Draws the arena's plan. Every column is a step, every rectangle a buffer from the step that writes it to the last
// that reads it; where an output follows into the input that its step consumes, the two are drawn over each other. A
// buffer with parts is a pale frame for as long as any of it lives, its parts are drawn inside.
// Plain SVG 1.1: browsers, editors and converters show it alike. Names are cut to fit; the full ones are in titles.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/report/memory_map.h"
#include "formats/report/table.h"

namespace tinyml {
namespace {

constexpr double kLeft = 76, kTop = 64, kHeight = 400, kRight = 28, kGap = 14;
constexpr double kNarrowest = 820, kWidest = 2400;  // of the columns together
constexpr double kCharacter = 6.5;                  // width at 11 pixels, of common sans-serif fonts

constexpr const char* kLabel = " fill=\"#1d2b3a\" pointer-events=\"none\"";
constexpr double kLongestName = 150;  // of a step, below the axis

struct Colour {
  const char *fill, *line, *name;
};
constexpr Colour kInput{"#6bbf8a", "#2f7d4d", "input"}, kOutput{"#f2a65a", "#b56a1d", "output"},
    kActivation{"#7fa8d9", "#3d6496", "activation"}, kScratch{"#c9b6dd", "#7d62a0", "scratch"};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (c == '"')
      result += "&quot;";
    else
      result += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  return result;
}

// Cut at the front, since exporters' paths differ at the end; never within a character of UTF-8.
std::string cut(const std::string& text, double width) {
  const auto most = static_cast<std::size_t>(std::max(0.0, width / kCharacter));
  if (text.size() <= most) return text;
  if (most < 8) return "";
  std::size_t begin = text.size() - (most - 1);
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) ++begin;
  return "…" + text.substr(begin);
}

std::string number(std::size_t n) { return with_commas(static_cast<std::int64_t>(n)); }

class Drawing {
 public:
  Drawing(const Program& program, const std::string& title) : program_(program), title_(title) {
    columns_ = static_cast<int>(program.steps.size()) + 2;
    const double narrowest = std::clamp(kWidest / columns_, 12.0, 34.0);
    column_ = std::clamp(kNarrowest / columns_, narrowest, 110.0);
    for (const ProgramPort& port : program.inputs) inputs_.insert(port.buffer);
    for (const ProgramPort& port : program.outputs) outputs_.insert(port.buffer);
    frames_.resize(program.buffers.size(), {static_cast<int>(program.steps.size()), -1});
    for (const ProgramBuffer& part : program.buffers) note_part(part);
    top_ = std::max<double>(1, static_cast<double>(program.arena_bytes + program.slow_arena_bytes));
  }

  std::string draw() {
    const double width = kLeft + plot_width() + kRight, height = kTop + kHeight + 26 + 0.77 * longest_step_name();
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" "
        "font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n"
        "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"#ffffff\"/>\n",
        width, height);
    heading();
    grid();
    for (std::size_t i = 0; i < program_.buffers.size(); ++i) frame(i);
    for (std::size_t i = 0; i < program_.buffers.size(); ++i) shape(i);
    for (std::size_t i = 0; i < program_.buffers.size(); ++i) label(i);
    arena_line(program_.arena_bytes);
    if (program_.two_arenas) arena_line(program_.arena_bytes + program_.slow_arena_bytes);
    step_names();
    return out_ + "</svg>\n";
  }

 private:
  double plot_width() const { return column_ * columns_; }
  double longest_step_name() const {
    std::size_t longest = 6;
    for (const ProgramStep& step : program_.steps) longest = std::max(longest, step.op.size() + 4);
    return std::min(kLongestName, kCharacter * static_cast<double>(longest));
  }
  double x(int step) const { return kLeft + column_ * (step + 1); }
  double y(double bytes) const { return kTop + kHeight - bytes / top_ * kHeight; }

  void text(double at_x, double at_y, double size, const std::string& words, const std::string& more = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\"{}>{}</text>\n", at_x, at_y, size, more,
                        escaped(words));
  }

  void heading() {
    text(kLeft, 26, 16, title_, " font-weight=\"bold\" fill=\"#222222\"");
    const bool best = program_.arena_bound >= program_.arena_bytes;
    text(
        kLeft, 46, 12,
        fmt::format("arena {} bytes, {}", number(program_.arena_bytes),
                    best ? "the least possible for this order of steps"
                         : "at least " + number(program_.arena_bound) + " are needed") +
            (program_.two_arenas ? fmt::format("; above it the slow arena, {} bytes", number(program_.slow_arena_bytes))
                                 : std::string()),
        " fill=\"#555555\"");
    double at = kLeft + plot_width();
    for (const Colour& colour : {kScratch, kOutput, kActivation, kInput}) {
      at -= 22 + kCharacter * static_cast<double>(std::string(colour.name).size()) + kGap;
      out_ +=
          fmt::format("<rect x=\"{:.1f}\" y=\"18\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\" stroke=\"{}\"/>\n",
                      at, colour.fill, colour.line);
      text(at + 18, 28, 11, colour.name, " fill=\"#444444\"");
    }
  }

  // Lines at round numbers of bytes, four to ten of them.
  void grid() {
    double step = 16;
    while (top_ / step > 9) step *= 2;
    for (double bytes = 0; bytes <= top_; bytes += step) {
      out_ += fmt::format("<line x1=\"{0:.1f}\" y1=\"{2:.1f}\" x2=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#e4e4e4\"/>\n",
                          kLeft, kLeft + plot_width(), y(bytes));
      text(kLeft - 8, y(bytes) + 4, 11, number(static_cast<std::size_t>(bytes)),
           " text-anchor=\"end\" fill=\"#777777\"");
    }
    text(16, kTop + kHeight / 2, 11, "bytes",
         fmt::format(" fill=\"#777777\" text-anchor=\"middle\" transform=\"rotate(-90 16 {:.1f})\"",
                     kTop + kHeight / 2));
  }

  // Does the step reach the top? Such steps are why the arena is as large as it is.
  bool is_peak(int step) const {
    return std::any_of(program_.buffers.begin(), program_.buffers.end(), [&](const ProgramBuffer& b) {
      return is_drawn(b) && b.first_step <= step && step <= b.last_step && !b.slow &&
             b.offset + b.bytes >= program_.arena_bytes;
    });
  }

  const Colour& colour_of(std::size_t i) const {
    const ProgramBuffer& b = program_.buffers[i];
    if (outputs_.contains(static_cast<int>(i))) return kOutput;
    if (inputs_.contains(static_cast<int>(i))) return kInput;
    const bool in_view = b.part_of >= 0 || frames_[i].first_step <= frames_[i].last_step;
    return b.first_step == b.last_step && !in_view ? kScratch : kActivation;
  }

  // Where it is drawn: the slow arena stands on top of the fast one.
  double bottom(const ProgramBuffer& b) const {
    return y(static_cast<double>(b.offset + (b.slow ? program_.arena_bytes : 0)));
  }

  bool is_drawn(const ProgramBuffer& b) const { return b.bytes != 0 && b.first_step <= b.last_step; }

  void note_part(const ProgramBuffer& part) {
    if (part.part_of < 0) return;
    const ProgramBuffer& whole = program_.buffers[static_cast<std::size_t>(part.part_of)];
    for (const ProgramBuffer* b : {&whole, &part}) {
      if (b->first_step > b->last_step) continue;
      Frame& all = frames_[static_cast<std::size_t>(part.part_of)];
      all.first_step = std::min(all.first_step, b->first_step);
      all.last_step = std::max(all.last_step, b->last_step);
    }
  }

  void frame(std::size_t i) {
    const Frame& all = frames_[i];
    const ProgramBuffer& b = program_.buffers[i];
    if (all.first_step > all.last_step) return;
    const double height = y(0) - y(static_cast<double>(b.bytes));
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" fill=\"{}\" fill-opacity=\"0.15\" "
        "stroke=\"{}\" stroke-dasharray=\"3 3\"><title>{}, in parts\n{} bytes at {} to {}</title></rect>\n",
        x(all.first_step) + 1.5, bottom(b) - height, column_ * (all.last_step - all.first_step + 1) - 3, height,
        colour_of(i).fill, colour_of(i).line, escaped(b.name), number(b.bytes), number(b.offset),
        number(b.offset + b.bytes));
  }

  void shape(std::size_t i) {
    const ProgramBuffer& b = program_.buffers[i];
    if (!is_drawn(b)) return;
    const Colour& colour = colour_of(i);
    const double height = std::max(1.5, y(0) - y(static_cast<double>(b.span())));
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{}\" fill=\"{}\" "
        "fill-opacity=\"{}\" "
        "stroke=\"{}\" stroke-width=\"1\"><title>{}\n{} bytes{} at {} to {}\n{}</title></rect>\n",
        x(b.first_step) + 1.5, bottom(b) - height, column_ * (b.last_step - b.first_step + 1) - 3, height,
        height > 8 ? 3 : 0, colour.fill, b.pitch == 0 ? 0.72 : 0.3, colour.line, escaped(b.name), number(b.bytes),
        b.pitch == 0 ? "" : fmt::format(" in runs of {}, {} apart,", b.run, b.pitch), number(b.offset),
        number(b.offset + b.span()), lifetime(b));
  }

  std::string lifetime(const ProgramBuffer& b) const {
    const int steps = static_cast<int>(program_.steps.size());
    const std::string first = b.first_step < 0 ? "from the input" : fmt::format("written in step {}", b.first_step + 1);
    return first + (b.last_step >= steps ? ", kept as output" : fmt::format(", last used in step {}", b.last_step + 1));
  }

  // The name at the upper end and the size below it, clear of the last column, where the next buffer may lie over this
  // one. Where they do not fit side by side they stand upright.
  void label(std::size_t i) {
    const ProgramBuffer& b = program_.buffers[i];
    if (!is_drawn(b)) return;
    const double height = y(0) - y(static_cast<double>(b.bytes));
    const double width = column_ * std::max(1, b.last_step - b.first_step) - 9;
    const double at_x = x(b.first_step) + 6, at_y = bottom(b) - height;
    const std::string size = number(b.bytes);
    const auto fits = [](const std::string& words, double room) {
      return static_cast<double>(words.size()) * kCharacter <= room;
    };
    if (fits(b.name, width) && height >= 15) {
      text(at_x, at_y + 13, 11, b.name, kLabel);
      if (height >= 30 && fits(size, width)) text(at_x, at_y + 26, 10, size, kLabel);
    } else if (fits(size, height - 12) && column_ >= 16) {
      const std::string both = cut(b.name, height - 24 - kCharacter * static_cast<double>(size.size()));
      const double line = at_x + 6;
      text(line, at_y + 6, 11, both.empty() ? size : both + "  " + size,
           fmt::format("{} transform=\"rotate(90 {:.1f} {:.1f})\"", kLabel, line - 4, at_y + 6));
    } else if (height >= 15) {
      text(at_x, at_y + 13, 11, fits(size, width) ? size : cut(b.name, width), kLabel);
    }
  }

  void arena_line(std::size_t end) {
    out_ += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{2:.1f}\" x2=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#c0392b\" stroke-width=\"1.2\" "
        "stroke-dasharray=\"6 4\"/>\n",
        kLeft, kLeft + plot_width(), y(static_cast<double>(end)));
    text(kLeft - 8, y(static_cast<double>(end)) - 4, 11, number(end),
         " text-anchor=\"end\" fill=\"#c0392b\" font-weight=\"bold\"");
    out_ += fmt::format("<line x1=\"{0:.1f}\" y1=\"{2:.1f}\" x2=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#999999\"/>\n",
                        kLeft, kLeft + plot_width(), y(0));
  }

  void step_name(int step, const std::string& words) {
    const double at_x = x(step) + column_ / 2 + 3, at_y = kTop + kHeight + 14;
    text(at_x, at_y, 11, cut(words, kLongestName),
         fmt::format(" fill=\"{}\" text-anchor=\"end\" transform=\"rotate(-50 {:.1f} {:.1f})\"",
                     is_peak(step) ? "#c0392b" : "#444444", at_x, at_y));
  }

  void step_names() {
    step_name(-1, "input");
    for (int step = 0; step < columns_ - 2; ++step)
      step_name(step, fmt::format("{} {}", step + 1, program_.steps[static_cast<std::size_t>(step)].op));
    step_name(columns_ - 2, "output");
  }

  const Program& program_;
  const std::string& title_;
  struct Frame {
    int first_step, last_step;
  };
  std::set<int> inputs_, outputs_;
  std::vector<Frame> frames_;  // by buffer: while any part lives
  int columns_ = 0;
  double column_ = 0, top_ = 1;
  std::string out_;
};

}  // namespace

std::string memory_to_svg(const Program& program, const std::string& title) { return Drawing(program, title).draw(); }

}  // namespace tinyml
