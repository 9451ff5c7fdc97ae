// The queue's filters, the sorting of tables, the commands of an item, and the plot. Everything
// it works on is in the page; nothing is fetched.
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("page-data").textContent);
  var byId = function (id) { return document.getElementById(id); };
  var all = function (selector, within) {
    return Array.prototype.slice.call((within || document).querySelectorAll(selector));
  };
  var number = function (value) { return value.toLocaleString("en-US"); };
  var make = function (tag, text, className) {
    var element = document.createElement(tag);
    if (text) { element.textContent = text; }
    if (className) { element.className = className; }
    return element;
  };

  // Sorting: each record is a tbody of its own, so that an opened item keeps its commands.
  var bodies = function (table) { return all("tbody", table); };
  var sortBy = function (button) {
    var heading = button.closest("th"), table = button.closest("table");
    var column = heading.cellIndex, numeric = button.dataset.kind === "number";
    var down = heading.getAttribute("aria-sort") === "ascending";
    all("th[aria-sort]", table).forEach(function (other) { other.setAttribute("aria-sort", "none"); });
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    var value = function (body) {
      var cell = body.rows[0].cells[column];
      var text = cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v;
      return numeric ? Number(text) : text.toLowerCase();
    };
    var rows = bodies(table).map(function (body, place) {
      return { body: body, value: value(body), place: place };
    });
    rows.sort(function (a, b) {
      var order = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
      return (down ? -order : order) || a.place - b.place;
    });
    rows.forEach(function (row) { table.appendChild(row.body); });
  };
  all(".bq-sort").forEach(function (button) {
    button.addEventListener("click", function () { sortBy(button); });
  });

  // The queue.
  var form = byId("filters");
  var items = all(".bq-item").map(function (body) {
    return { body: body, text: body.textContent.toLowerCase() + " " + body.dataset.item };
  });
  var fill = function () {
    var stateOf = byId("filter-state").value, severity = byId("filter-severity").value;
    var check = byId("filter-check").value, text = byId("filter-text").value.trim().toLowerCase();
    var shown = 0;
    items.forEach(function (item) {
      var kept = item.body.dataset;
      var fits = (!severity || kept.severity === severity) && (!check || kept.check === check) &&
        (!stateOf || (stateOf === "open" ? "open" in kept : kept.state === stateOf)) &&
        (!text || item.text.indexOf(text) >= 0);
      item.body.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("queue-count").textContent = number(shown) + " of " + number(items.length) +
      " items shown" + (shown ? "." : ": no item fits.");
  };
  if (form) {
    form.addEventListener("input", fill);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () { setTimeout(fill, 0); });
    fill();
  }
  all(".bq-to-queue").forEach(function (button) {
    button.addEventListener("click", function () {
      form.reset();
      byId("filter-check").value = button.dataset.check;
      fill();
      byId("queue").focus();
      byId("queue").scrollIntoView();
    });
  });

  // What can be done with an item, made when it is asked for.
  var copied = function (button, code) {
    var say = function (done) {
      if (!done) { window.getSelection().selectAllChildren(code); }
      button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    };
    if (!navigator.clipboard) { say(false); return; }
    navigator.clipboard.writeText(code.textContent).then(
      function () { say(true); }, function () { say(false); });
  };
  var commands = function (body) {
    var kept = body.dataset, row = make("tr", "", "bq-more"), cell = make("td");
    var panel = make("div");
    cell.colSpan = body.rows[0].cells.length;
    panel.appendChild(make("p", data.whys[kept.table + "/" + kept.check] || ""));
    var list = make("ul", "", "bq-actions");
    data.actions.forEach(function (action) {
      if (action.states.indexOf(kept.state) < 0 || action.fields && !("correct" in kept)) { return; }
      var entry = make("li"), line = make("div", "", "bq-command");
      entry.appendChild(make("strong", action.title));
      entry.appendChild(document.createTextNode(action.says +
        (action.fields && !kept.correct ? " " + action.fields : "")));
      var text = (data.start + " " + action.command)
        .replace("ITEM", kept.item).replace("FIELD", kept.correct || "FIELD");
      var code = make("code", text), button = make("button", "Copy");
      button.type = "button";
      button.setAttribute("aria-label", "Copy the command: " + action.title);
      button.addEventListener("click", function () {
        button.removeAttribute("aria-label");
        button.setAttribute("aria-live", "polite");
        copied(button, code);
      });
      line.appendChild(code);
      line.appendChild(button);
      entry.appendChild(line);
      list.appendChild(entry);
    });
    panel.appendChild(list);
    cell.appendChild(panel);
    row.appendChild(cell);
    body.appendChild(row);
    return row;
  };
  all(".bq-decide").forEach(function (button) {
    button.addEventListener("click", function () {
      var body = button.closest("tbody"), row = body.rows[1] || commands(body);
      var open = button.getAttribute("aria-expanded") !== "true";
      row.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    });
  });

  // The plot: one line over the runs, a cursor that the slider and the pointer move.
  var plot = byId("plot");
  if (!plot) { return; }
  var WIDTH = 900, LEFT = 56, RIGHT = 24, TOP = 14, BOTTOM = 226;
  var chosen = byId("plot-rule"), run = byId("plot-run");
  var draw = function (tag, attributes, text) {
    var element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.keys(attributes).forEach(function (name) {
      element.setAttribute(name, attributes[name]);
    });
    if (text !== undefined) { element.textContent = text; }
    return element;
  };
  var series = function () { return data.series[Number(chosen.value)]; };
  var across = function (i, length) {
    return length < 2 ? (LEFT + WIDTH - RIGHT) / 2
      : LEFT + i * (WIDTH - LEFT - RIGHT) / (length - 1);
  };
  var stepOf = function (top) {
    var rough = Math.max(1, top / 4), ten = Math.pow(10, Math.floor(Math.log10(rough)));
    return [1, 2, 5, 10].map(function (n) { return n * ten; })
      .filter(function (n) { return n >= rough; })[0];
  };
  var height = 1;
  var up = function (value) { return BOTTOM - (BOTTOM - TOP) * value / height; };
  var mark = function (point, x, className) {
    var y = up(point[2]);
    return point[3] ? draw("circle", { cx: x, cy: y, r: 4, class: "bq-met " + className })
      : draw("path", { d: "M" + x + " " + (y - 5) + "l5 9h-10z", class: "bq-failed " + className });
  };
  var redraw = function () {
    var line = series(), points = line.points;
    var top = Math.max.apply(null, [1].concat(points.map(function (point) { return point[2]; })));
    var step = stepOf(top);
    height = Math.ceil(top / step) * step;
    plot.textContent = "";
    for (var value = 0; value <= height; value += step) {
      plot.appendChild(draw("line",
        { x1: LEFT, x2: WIDTH - RIGHT, y1: up(value), y2: up(value), class: "grid" }));
      plot.appendChild(draw("text",
        { x: LEFT - 8, y: up(value) + 4, "text-anchor": "end" }, number(value)));
    }
    var ends = points.length > 1 ? [0, points.length - 1] : [0];
    ends.forEach(function (i) {
      plot.appendChild(draw("text", {
        x: across(i, points.length), y: BOTTOM + 24,
        "text-anchor": ends.length === 1 ? "middle" : i ? "end" : "start"
      }, data.times[points[i][0]].replace(/, \d\d:\d\d$/, "")));
    });
    plot.appendChild(draw("polyline", {
      class: "line", points: points.map(function (point, i) {
        return across(i, points.length).toFixed(1) + "," + up(point[2]).toFixed(1);
      }).join(" ")
    }));
    points.forEach(function (point, i) {
      plot.appendChild(mark(point, across(i, points.length), "point"));
    });
    plot.appendChild(draw("line", { class: "cursor", y1: TOP, y2: BOTTOM }));
    plot.appendChild(draw("circle", { class: "chosen", r: 8 }));
    byId("plot-title").textContent = line.name +
      (line.unit ? ", by run" : ": failing by run");
    run.max = points.length - 1;
    run.value = run.max;
    read();
  };
  var read = function () {
    var line = series(), i = Number(run.value), point = line.points[i], x = across(i, line.points.length);
    var before = i ? point[2] - line.points[i - 1][2] : 0;
    var words = data.times[point[0]] + ": " + number(point[2]) + " of " + number(point[1]) +
      (line.unit ? " " + line.unit + " failed" + (point[3] ? "" : ", a critical one among them")
        : " failing" + (point[3] ? ", rule met" : ", rule not met")) +
      (i ? before ? "; " + number(Math.abs(before)) + (before > 0 ? " more" : " fewer") +
        " than in the run before." : "; as in the run before." : ".");
    all(".cursor", plot)[0].setAttribute("x1", x);
    all(".cursor", plot)[0].setAttribute("x2", x);
    all(".chosen", plot)[0].setAttribute("cx", x);
    all(".chosen", plot)[0].setAttribute("cy", up(point[2]));
    byId("plot-reading").textContent = words;
    run.setAttribute("aria-valuetext", words);
  };
  var follow = function (event) {
    var box = plot.getBoundingClientRect(), last = series().points.length - 1;
    var x = (event.clientX - box.left) * WIDTH / box.width;
    run.value = Math.round((x - LEFT) / (WIDTH - LEFT - RIGHT) * last);
    read();
  };
  chosen.addEventListener("change", redraw);
  run.addEventListener("input", read);
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  all(".bq-to-plot").forEach(function (button) {
    button.addEventListener("click", function () {
      data.series.forEach(function (line, i) {
        if (line.key === button.dataset.key) { chosen.value = String(i); }
      });
      redraw();
      byId("history").focus();
      byId("history").scrollIntoView();
    });
  });
  redraw();
}());
