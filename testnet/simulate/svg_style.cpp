#include "testnet/simulate/svg_style.hpp"

namespace quorate::testnet {

namespace {

constexpr const char* kStyle = R"(<style>
svg{--paper:#fff;--ink:#1c2330;--soft:#677084;--rule:#d5dae3;--lane:#aab2c0;
--pre-prepare:#2450e0;--prepare:#06a3c4;--commit:#2f8f2f;--checkpoint:#8a6d1d;
--suspect:#d97706;--view-change:#d1242f;--new-view:#8b3fd9;
--view0:#e3edfb;--view1:#fbe9d7;--view2:#e6f5e1;--view3:#f3e5fa;--view4:#fdf3c7;
--changing:#f3b4b4;--down:#c3c9d4;--cut:#8b5cf6;--fault:#b42318}
@media (prefers-color-scheme:dark){svg{--paper:#10141b;--ink:#e6e9ef;--soft:#98a2b3;--rule:#2b3342;
--lane:#566075;--pre-prepare:#7c9dff;--prepare:#2fc7e6;--commit:#7fd65f;--checkpoint:#d8b24a;
--suspect:#ffb454;--view-change:#ff6b6b;--new-view:#c792ff;
--view0:#1b2a44;--view1:#40301c;--view2:#1d3824;--view3:#34213f;--view4:#3a351a;
--changing:#5c2a2f;--down:#3a4252;--cut:#a78bfa;--fault:#ff8f85}}
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--ink)}
.title{font-size:21px;font-weight:650}.soft{fill:var(--soft)}.small{font-size:11px}
.name{font-weight:600}.absent{opacity:.35}.paper{fill:var(--paper)}
.axis{stroke:var(--soft);stroke-width:1}.lane{stroke:var(--lane);stroke-width:1}
.primary{stroke:var(--ink);stroke-width:3;stroke-linecap:round}
.view0{fill:var(--view0)}.view1{fill:var(--view1)}.view2{fill:var(--view2)}
.view3{fill:var(--view3)}.view4{fill:var(--view4)}.reign{stroke:var(--rule)}
.changing{fill:url(#hatch-changing)}.down{fill:url(#hatch-down)}
.cut{fill:none;stroke:var(--cut);stroke-width:1.5;stroke-dasharray:6 4}.cut-label{fill:var(--cut);font-size:11px}
.message{fill:none;stroke:currentColor;stroke-width:1.3}.sample{stroke-width:3}
.thin .message{stroke-width:.7;opacity:.7}.dense .message{stroke-width:.5;opacity:.35}
.message:hover{stroke-width:3.5;opacity:1}
.lost{stroke-dasharray:3 3;opacity:.75}.lost-end{stroke:currentColor;stroke-width:1.3;opacity:.8}
.block{fill:var(--ink);stroke:var(--paper);stroke-width:.8}.block-label{font-size:10px;fill:var(--soft)}
.crash{stroke:var(--fault);stroke-width:3;stroke-linecap:round}
.gap{fill:var(--paper);opacity:.82}.gap-edge{stroke:var(--soft);stroke-width:1;stroke-dasharray:1 4}
.leader{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3;opacity:.75}
.leader.fault{stroke:var(--fault);opacity:.9}.callout{font-size:12px}
.callout.fault{fill:var(--fault);font-weight:600}.dot{fill:var(--soft)}.dot.fault{fill:var(--fault)}
)";

std::string arrowhead(const std::string& css) {
  return "<marker id=\"head-" + css +
         "\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6.5\" markerHeight=\"6.5\" "
         "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.8L8 4L0 7.2z\" "
         "style=\"fill:var(--" +
         css + ")\"/></marker>\n";
}

std::string hatch(const std::string& name) {
  return "<pattern id=\"hatch-" + name +
         "\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
         "patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" style=\"fill:var(--" +
         name + ");opacity:.35\"/><rect width=\"3\" height=\"7\" style=\"fill:var(--" + name +
         ")\"/></pattern>\n";
}

}  // namespace

std::string style_and_patterns() {
  std::string out = kStyle;
  std::string heads;
  for (const LegendEntry& entry : kLegend) {
    const std::string css = entry.css;
    out += "." + css + "{color:var(--" + css + ")}";
    heads += arrowhead(css);
  }
  return out + "</style>\n<defs>" + heads + hatch("changing") + hatch("down") + "</defs>\n";
}

}  // namespace quorate::testnet
