/// Draws the plots from the figures in the page. No library, no network.
enum ReportScript {
    static let text = #"""
        "use strict";
        (() => {
        const figures = JSON.parse(document.getElementById("figures").textContent);
        const { report, pools, timeline } = figures;
        const analysis = report.analysis;
        const categories = analysis.sizes.categories.map(c => c.category);
        const bounds = [4096, 65536, 1048576, 16777216, Infinity];
        const byId = id => document.getElementById(id);
        const group = value => Math.round(value).toLocaleString("en-US");
        const short = v => v >= 1e9 ? (v / 1e9).toPrecision(3) + " G" : v >= 1e6 ? (v / 1e6).toPrecision(3) + " M"
          : v >= 1e4 ? (v / 1e3).toPrecision(3) + " k" : group(v);
        const decimal = v => v < 10 ? v.toFixed(2) : v < 100 ? v.toFixed(1) : group(v);
        const bytes = v => {
          for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 1024]])
            if (v >= size) return (v / size).toLocaleString("en-US", { maximumFractionDigits: v / size < 10 ? 2 : 1 }) + " " + unit;
          return group(v) + " B";
        };
        const duration = ns => {
          for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["us", 1e3]]) if (ns >= size) return decimal(ns / size) + " " + unit;
          return group(ns) + " ns";
        };
        // What plots run along: how many events have passed, or the recorded time. Both count from 0 and turn a number of
        // events into a place.
        const eventCount = Math.max(1, analysis.summary.eventCount);
        const axes = { events: { place: e => e, end: eventCount, text: v => "event " + group(v) } };
        if (timeline) axes.time = { place: timeAfter, end: Math.max(1, timeline.nanoseconds.at(-1)), text: duration };
        let axis = axes.events;
        function timeAfter(count) {
          const { events, nanoseconds } = timeline;
          let low = 0, high = events.length - 1;
          while (high - low > 1) { const middle = (low + high) >> 1; if (events[middle] <= count) low = middle; else high = middle; }
          const share = high === low ? 0 : Math.min(1, (count - events[low]) / (events[high] - events[low]));
          return nanoseconds[low] + (nanoseconds[high] - nanoseconds[low]) * share;
        }
        const escape = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
        const svg = (width, height, body, label) =>
          `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">${body}</svg>`;

        // Horizontal bars: rows of { name, value, label, colour, low, high, ring }.
        function bars(target, rows, label) {
          const width = Math.max(280, target.clientWidth || 480);
          const left = 14 + 6.7 * Math.max(...rows.map(r => r.name.length)), right = 18 + 6.7 * Math.max(...rows.map(r => r.label.length));
          const top = Math.max(1e-9, ...rows.map(r => Math.max(r.value, r.high || 0)));
          const x = v => left + (width - left - right) * Math.min(1, v / top);
          const body = rows.map((r, i) => {
            const y = i * 26 + 4;
            let out = `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escape(r.name)}</text>`
              + `<rect x="${left}" y="${y + 2}" width="${r.value ? Math.max(1, x(r.value) - left) : 0}" height="16" rx="3" fill="${r.colour}"/>`;
            if (r.high !== undefined)
              out += `<path class="spread" d="M${x(r.low)} ${y + 10}H${x(r.high)}M${x(r.low)} ${y + 6}v8M${x(r.high)} ${y + 6}v8"/>`;
            if (r.ring !== undefined && r.ring <= top) out += `<circle class="ring" cx="${x(r.ring)}" cy="${y + 10}" r="4"/>`;
            return out + `<text x="${width - 4}" y="${y + 14}" text-anchor="end">${escape(r.label)}</text>`;
          }).join("");
          target.innerHTML = svg(width, rows.length * 26 + 8, body, label);
        }

        function table(id, headings, rows) {
          byId(id).innerHTML = "<thead><tr>" + headings.map(h => `<th>${escape(h)}</th>`).join("") + "</tr></thead><tbody>"
            + rows.map(row => "<tr>" + row.map(cell => `<td>${escape(cell)}</td>`).join("") + "</tr>").join("") + "</tbody>";
        }

        // Lines along the axis: series of { name, colour, values }.
        function curves(target, title, events, series, top) {
          const width = 340, height = 190, left = 62, bottom = 22, head = 8;
          const x = v => left + (width - left - 8) * axis.place(v) / axis.end, y = v => head + (height - head - bottom) * (1 - v / top);
          let body = [0, 0.5, 1].map(s => `<line class="rule" x1="${left}" x2="${width - 8}" y1="${y(top * s)}" y2="${y(top * s)}"/>`
            + `<text class="soft" x="${left - 5}" y="${y(top * s) + 4}" text-anchor="end">${bytes(top * s)}</text>`).join("");
          body += `<text class="soft" x="${left}" y="${height - 5}">0</text><text class="soft" x="${width - 8}" y="${height - 5}" text-anchor="end">${axis.text(axis.end)}</text>`;
          for (const s of series)
            body += `<path class="curve" stroke="${s.colour}" d="${s.values.map((v, i) => (i ? "L" : "M") + x(events[i]).toFixed(1) + " " + y(v).toFixed(1)).join("")}"/>`;
          const legend = series.map(s => `<span><i style="background:${s.colour}"></i>${s.name} at most <b data-peak="${s.key}">${bytes(Math.max(...s.values))}</b></span>`).join("");
          target.insertAdjacentHTML("beforeend", `<div data-pool="${title}"><h3>${title}</h3>${svg(width, height, body, title + ": bytes over time")}<div class="legend">${legend}</div></div>`);
        }

        function drawCosts() {
          bars(byId("cost"), report.estimate.subjects.map(s => ({
            name: s.name, value: s.processorNanosecondsPerEvent.median, low: s.processorNanosecondsPerEvent.lowerQuartile, high: s.processorNanosecondsPerEvent.upperQuartile,
            ring: s.firstRound.median, label: decimal(s.processorNanosecondsPerEvent.median) + " ns", colour: `var(--${s.name})` })), "Processor time per event");
          table("costs", ["allocator", "processor ns/event", "lower quartile", "upper quartile", "rounds", "first round", "page faults", "resident/peak live", "made in ms", "what it is"],
            report.estimate.subjects.map(s => [s.name, decimal(s.processorNanosecondsPerEvent.median), decimal(s.processorNanosecondsPerEvent.lowerQuartile), decimal(s.processorNanosecondsPerEvent.upperQuartile),
              group(s.processorNanosecondsPerEvent.rounds), decimal(s.firstRound.median), group(s.minorPageFaults.median), decimal(s.residentGrowthOverPeakLive),
              s.constructionMilliseconds === undefined ? "" : decimal(s.constructionMilliseconds), s.allocator]));
        }

        function drawCurves() {
          byId("curves").innerHTML = "";
          const top = Math.max(1, ...pools.flatMap(p => p.curve.reservedBytes), ...pools.flatMap(p => p.curve.liveBytes));
          for (const p of pools) curves(byId("curves"), p.pool, p.curve.events, [
            { name: "reserved", key: "reserved", colour: "var(--reserved)", values: p.curve.reservedBytes },
            { name: "live", key: "live", colour: "var(--live)", values: p.curve.liveBytes },
            { name: "cached", key: "cached", colour: "var(--cached)", values: p.curve.cachedBytes } ], top);
        }

        function distribution(id, value) {
          if (!value) { byId(id).textContent = "none"; return; }
          const low = v => v < 1024 ? String(v) : short(v);
          bars(byId(id), value.buckets.map(b => ({ name: b.lowest < 2 ? low(b.lowest) : low(b.lowest) + " to " + low(b.lowest * 2 - 1), value: b.count, label: group(b.count), colour: "var(--c2)" })), id);
          byId(id).insertAdjacentHTML("beforeend", `<p class="soft">p50 ${group(value.p50)}, p90 ${group(value.p90)}, p99 ${group(value.p99)}, most ${group(value.maximum)}</p>`);
        }

        function drawHistograms() {
          const rows = (value, label) => analysis.sizes.categories.map((c, i) => ({ name: c.category, value: value(c), label: label(value(c)), colour: `var(--c${i})` }));
          bars(byId("categories"), rows(c => c.allocations, group), "Allocations by category");
          bars(byId("bytes"), rows(c => c.allocatedBytes, bytes), "Bytes by category");
          distribution("lifetimes", analysis.lifetimes.events);
          distribution("reuse", analysis.reuse.distanceEvents);
          table("sizes", ["size", "bytes", "allocations", "peak live blocks"], analysis.sizes.mostBytes.map(s => [bytes(s.byteCount), group(s.byteCount), group(s.allocations), group(s.peakLiveBlocks)]));
          const adaptive = pools.find(p => p.pool === "adaptive");
          table("decisions", ["size", "strategy", "rule", "why"], adaptive.decisions.map(d => [bytes(d.byteCount), d.strategy, d.rule, d.why]));
        }

        // The map: a view into the axis by addresses.
        const canvas = byId("map"), select = byId("mappool");
        let view = null, chosen = null, starts = [], ends = [];
        function whole() {
          starts = chosen.map.starts.map(axis.place); ends = chosen.map.ends.map(axis.place);
          view = { x0: 0, x1: axis.end, y0: 0, y1: Math.max(1, chosen.map.byteCount) };
        }
        function drawMap() {
          const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
          canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale);
          const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
          pen.scale(scale, scale);
          pen.fillStyle = style.getPropertyValue("--card"); pen.fillRect(0, 0, width, height);
          const colours = categories.map((_, i) => style.getPropertyValue("--c" + i));
          const x = v => (v - view.x0) / (view.x1 - view.x0) * width, y = v => height - (v - view.y0) / (view.y1 - view.y0) * height;
          const m = chosen.map;
          let drawn = 0;
          for (let i = 0; i < m.addresses.length; i++) {
            if (ends[i] < view.x0 || starts[i] > view.x1 || m.addresses[i] + m.sizes[i] < view.y0 || m.addresses[i] > view.y1) continue;
            const left = x(starts[i]), upper = y(m.addresses[i] + m.sizes[i]);
            const wide = Math.max(0.7, x(ends[i]) - left), high = Math.max(0.7, y(m.addresses[i]) - upper);
            pen.fillStyle = colours[bounds.findIndex(b => m.sizes[i] <= b)];
            pen.fillRect(left, upper, Math.max(0.7, wide - (wide > 3 ? 0.6 : 0)), Math.max(0.7, high - (high > 3 ? 0.6 : 0)));
            drawn++;
          }
          pen.strokeStyle = style.getPropertyValue("--soft"); pen.setLineDash([4, 4]); pen.beginPath();
          for (const seam of m.seams) { pen.moveTo(0, y(seam)); pen.lineTo(width, y(seam)); }
          pen.stroke(); pen.setLineDash([]);
          pen.font = "12px system-ui, sans-serif";
          const note = (text, right, low) => {
            const wide = pen.measureText(text).width + 10;
            pen.fillStyle = style.getPropertyValue("--paper"); pen.fillRect(right ? width - wide : 0, low ? height - 20 : 0, wide, 20);
            pen.fillStyle = style.getPropertyValue("--ink"); pen.fillText(text, right ? width - wide + 5 : 5, low ? height - 6 : 14);
          };
          note(bytes(view.y1), false, false); note(bytes(view.y0) + ", " + axis.text(view.x0), false, true); note(axis.text(view.x1), true, true);
          byId("mapnote").textContent = `${group(drawn)} of ${group(m.tensorCount)} tensors drawn, in ${bytes(m.byteCount)} of addresses`
            + (m.addresses.length < m.tensorCount ? "; the ones with most bytes times time are here" : "")
            + (m.seams.length ? ". At dashed lines addresses without tensors are left out." : ".");
        }
        function zoom(factor, cx, cy) {
          const px = view.x0 + (view.x1 - view.x0) * cx, py = view.y0 + (view.y1 - view.y0) * (1 - cy);
          const w = Math.min(axis.end, Math.max(4 * axis.end / Math.max(4, eventCount), (view.x1 - view.x0) * factor)), h = Math.min(chosen.map.byteCount, Math.max(256, (view.y1 - view.y0) * factor));
          move({ x0: px - w * cx, x1: px + w * (1 - cx), y0: py - h * (1 - cy), y1: py + h * cy });
        }
        function move(next) {
          const keep = (low, high, most) => { const d = low < 0 ? -low : high > most ? most - high : 0; return [low + d, high + d]; };
          [next.x0, next.x1] = keep(next.x0, next.x1, axis.end); [next.y0, next.y1] = keep(next.y0, next.y1, Math.max(1, chosen.map.byteCount));
          view = next; requestAnimationFrame(drawMap);
        }
        const pointers = new Map();
        const place = e => { const r = canvas.getBoundingClientRect(); return [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height]; };
        canvas.addEventListener("wheel", e => { e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : 0.8, ...place(e)); }, { passive: false });
        canvas.addEventListener("dblclick", () => { whole(); drawMap(); });
        canvas.addEventListener("pointerdown", e => { pointers.set(e.pointerId, place(e)); canvas.setPointerCapture(e.pointerId); });
        canvas.addEventListener("pointerup", e => pointers.delete(e.pointerId));
        canvas.addEventListener("pointercancel", e => pointers.delete(e.pointerId));
        canvas.addEventListener("pointermove", e => {
          const now = place(e), before = pointers.get(e.pointerId);
          if (!before) return hint(now);
          const others = [...pointers].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
          pointers.set(e.pointerId, now);
          if (others.length) {
            const far = p => Math.hypot(p[0] - others[0][0], p[1] - others[0][1]);
            zoom(Math.min(2, Math.max(0.5, far(before) / Math.max(0.01, far(now)))), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
          } else {
            const dx = (before[0] - now[0]) * (view.x1 - view.x0), dy = (now[1] - before[1]) * (view.y1 - view.y0);
            move({ x0: view.x0 + dx, x1: view.x1 + dx, y0: view.y0 + dy, y1: view.y1 + dy });
          }
        });
        function hint([cx, cy]) {
          const ex = view.x0 + (view.x1 - view.x0) * cx, ay = view.y0 + (view.y1 - view.y0) * (1 - cy), m = chosen.map;
          for (let i = 0; i < m.addresses.length; i++)
            if (starts[i] <= ex && ex <= ends[i] && m.addresses[i] <= ay && ay < m.addresses[i] + m.sizes[i]) {
              byId("maphint").textContent = `${bytes(m.sizes[i])} from event ${group(m.starts[i])} to ${group(m.ends[i])}`
                + (timeline ? `, for ${duration(timeAfter(m.ends[i]) - timeAfter(m.starts[i]))}` : "");
              return;
            }
          byId("maphint").textContent = "";
        }

        for (const p of pools) select.add(new Option(p.pool, p.pool));
        select.value = report.suggestion.pool;
        select.addEventListener("change", () => { chosen = pools.find(p => p.pool === select.value); whole(); drawMap(); });
        for (const choice of document.querySelectorAll("select.axis")) {
          choice.parentElement.hidden = !timeline;
          for (const name in axes) choice.add(new Option(name, name));
          choice.addEventListener("change", () => {
            axis = axes[choice.value];
            for (const other of document.querySelectorAll("select.axis")) other.value = choice.value;
            whole(); drawCurves(); drawMap();
          });
        }
        byId("mapreset").addEventListener("click", () => { whole(); drawMap(); });
        chosen = pools.find(p => p.pool === select.value) || pools[0];
        byId("maplegend").innerHTML = categories.map((c, i) => `<span><i style="background:var(--c${i})"></i>${c}</span>`).join("");
        whole();
        const drawAll = () => { drawCosts(); drawCurves(); drawHistograms(); drawMap(); };
        drawAll();
        let waiting = 0;
        addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(drawAll, 100); });
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
        addEventListener("beforeprint", drawMap);
        document.documentElement.dataset.drawn = "yes";
        })();
        """#
}
