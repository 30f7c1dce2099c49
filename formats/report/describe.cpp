// Shapes and MACs are those of one sample: the batch is bound to 1 in a copy.
#include "formats/report/describe.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "formats/report/table.h"
#include "lib/ops/counts.h"
#include "lib/ops/op_def.h"
#include "lib/quant/stored_bytes.h"
#include "lib/support/error.h"

namespace tinyml {
namespace {

using nlohmann::ordered_json;

PortSummary port(const Value& value) {
  const DType type = value.quant ? value.quant->type : value.type.dtype;
  return {value.name, value.type.shape, std::string(dtype_name(type))};
}

// Shape operands and the like are integers without quantization parameters: no parameters of the model.
bool is_weight(const Value& value) { return value.constant && (value.quant || is_float(value.constant->dtype())); }

std::int64_t bytes_of(const Value& value) {
  return static_cast<std::int64_t>(stored_bytes(*value.constant, value.quant ? &*value.quant : nullptr));
}

LayerSummary layer(const Graph& graph, const Node& node, std::set<ValueId>& seen, bool static_shapes) {
  LayerSummary out;
  out.name = node.name;
  out.op = node.op;
  for (const ValueId id : node.outputs) {
    if (id == ValueId::none) continue;
    const auto& shape = graph.value(id).type.shape;
    out.shape_known = shape.has_value();
    if (shape) out.output_shape = *shape;
    break;
  }
  for (const ValueId id : node.inputs) {
    if (id == ValueId::none || !is_weight(graph.value(id)) || !seen.insert(id).second) continue;
    out.parameters += graph.value(id).constant->size();
    out.bytes += bytes_of(graph.value(id));
  }
  const OpDef* op = find_op(node.op);
  if (op != nullptr && op->macs != nullptr && static_shapes) out.macs = op->macs(NodeView(graph, node));
  return out;
}

// With one sample where that settles all shapes; as it is where other dimensions stay open.
Graph with_one_sample(const Graph& graph, bool& known) {
  Graph bound = graph;
  try {
    bind_batch(bound, 1);
  } catch (const Error&) {
    known = false;
    return graph;
  }
  for (const ValueId id : bound.values())
    if (!bound.value(id).type.shape || !is_static(*bound.value(id).type.shape)) known = false;
  return bound;
}

ordered_json to_json(const PortSummary& p) {
  return {{"name", p.name}, {"shape", p.shape ? to_json(*p.shape) : ordered_json()}, {"type", p.type}};
}

ordered_json to_json(const LayerSummary& l) {
  return {{"name", l.name},
          {"op", l.op},
          {"output_shape", l.shape_known ? to_json(l.output_shape) : ordered_json()},
          {"parameters", l.parameters},
          {"macs", l.macs},
          {"bytes", l.bytes}};
}

template <class List>
ordered_json list_json(const List& list) {
  ordered_json out = ordered_json::array();
  for (const auto& item : list) out.push_back(to_json(item));
  return out;
}

std::string port_text(const char* role, const PortSummary& p) {
  return fmt::format("{:<10}{} {} {}\n", role, printable(p.name), p.type, p.shape ? to_string(*p.shape) : "[...]");
}

}  // namespace

bool is_quantized(const Graph& graph) {
  for (const ValueId id : graph.values())
    if (graph.value(id).quant && !graph.value(id).constant) return true;
  return false;
}

ModelSummary summarize(const Graph& graph) {
  ModelSummary out;
  out.name = graph.name;
  out.opset = graph.opset;
  if (const auto it = graph.metadata.find("producer_name"); it != graph.metadata.end()) out.producer = it->second;
  for (const ValueId id : graph.inputs()) out.inputs.push_back(port(graph.value(id)));
  for (const ValueId id : graph.outputs()) out.outputs.push_back(port(graph.value(id)));
  out.quantized = is_quantized(graph);
  const Graph bound = with_one_sample(graph, out.macs_known);
  std::set<ValueId> seen;
  for (const NodeId id : bound.nodes()) {
    out.layers.push_back(layer(bound, bound.node(id), seen, out.macs_known));
    out.parameters += out.layers.back().parameters;
    out.macs = saturating_sum(out.macs, out.layers.back().macs);
    out.bytes += out.layers.back().bytes;
  }
  return out;
}

ordered_json to_json(const Shape& shape) {
  ordered_json out = ordered_json::array();
  for (const Dim& d : shape) {
    if (d.known())
      out.push_back(d.value);
    else
      out.push_back(d.symbol.empty() ? "?" : d.symbol);
  }
  return out;
}

ordered_json to_json(const ModelSummary& s) {
  return {{"name", s.name},
          {"opset", s.opset},
          {"quantized", s.quantized},
          {"nodes", s.layers.size()},
          {"parameters", s.parameters},
          {"macs", s.macs_known ? ordered_json(s.macs) : ordered_json()},
          {"bytes", s.bytes},
          {"inputs", list_json(s.inputs)},
          {"outputs", list_json(s.outputs)},
          {"layers", list_json(s.layers)}};
}

std::string to_text(const ModelSummary& s) {
  using Align = Table::Align;
  Table table({{"name", Align::left, 44},
               {"operator"},
               {"output shape"},
               {"parameters", Align::right},
               {"MACs", Align::right},
               {"bytes", Align::right}});
  for (const LayerSummary& l : s.layers)
    table.add({l.name, l.op, l.shape_known ? to_string(l.output_shape) : "?", with_commas(l.parameters),
               s.macs_known ? with_commas(l.macs) : "?", with_commas(l.bytes)});
  table.add_line();
  table.add({fmt::format("{} nodes", s.layers.size()), "", "", with_commas(s.parameters),
             s.macs_known ? with_commas(s.macs) : "?", with_commas(s.bytes)});
  std::string out =
      fmt::format("{:<10}{}, opset {}{}{}\n", "model", printable(s.name), s.opset,
                  s.producer.empty() ? "" : ", by " + printable(s.producer), s.quantized ? ", quantized" : "");
  for (const PortSummary& p : s.inputs) out += port_text("input", p);
  for (const PortSummary& p : s.outputs) out += port_text("output", p);
  return out + "\n" + table.text();
}

}  // namespace tinyml
