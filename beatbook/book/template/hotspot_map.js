// The hotspot map's own behavior. `data` is made by beatbook/book/hotspot_page.py: the layers share
// cells and phrases, and say by number which they use.
function drawHotspots(map, data) {
  "use strict";

  // Each polygon is rings of steps from point to point, in 1e-5 degrees from data.origin.
  function latLngs(polygons) {
    return polygons.map(function (rings) {
      return rings.map(function (steps) {
        var x = data.origin[0], y = data.origin[1], points = [];
        for (var i = 0; i < steps.length; i += 2) {
          x += steps[i];
          y += steps[i + 1];
          points.push([y / 1e5, x / 1e5]);
        }
        return points;
      });
    });
  }

  // As an element, so that a name in a file can never be read as markup.
  function plain(words) {
    var box = document.createElement("div");
    box.textContent = words;
    return box;
  }

  // One tab stop for all shapes of a group; the arrow keys go from one to the next.
  function reachable(shapes, words) {
    shapes.forEach(function (shape, number) {
      shape.bindTooltip(plain(words[number]), {sticky: true, className: "words"});
      shape.on("mouseover", function () { shape.setStyle({weight: 4}); });
      shape.on("mouseout", function () { shape.setStyle({weight: shape.options.rest}); });
      shape.on("add", function () {
        var path = shape.getElement();
        path.setAttribute("tabindex", number ? "-1" : "0");
        path.setAttribute("role", "img");
        path.setAttribute("aria-label", words[number]);
        path.addEventListener("focus", function () { shape.openTooltip(shape.getCenter()); });
        path.addEventListener("blur", function () { shape.closeTooltip(); });
        path.addEventListener("keydown", function (event) {
          var step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
          var next = step && shapes[number + step];
          if (!next) { return; }
          event.preventDefault();
          event.stopPropagation();
          path.setAttribute("tabindex", "-1");
          next.getElement().setAttribute("tabindex", "0");
          next.getElement().focus();
        });
      });
    });
  }

  function polygon(shape, style, pane) {
    var options = Object.assign({pane: pane, rest: style.weight}, style);
    return L.polygon(latLngs(shape), options);
  }

  ["areas", "cells", "lines", "zones", "names"].forEach(function (name, number) {
    var pane = map.createPane(name);
    pane.style.zIndex = 410 + 10 * number;
    if (name === "lines" || name === "names") { pane.style.pointerEvents = "none"; }
  });

  // A layer is drawn when it is first asked for: sixteen at once would be slow.
  function drawnWhenAdded(fill) {
    var group = L.layerGroup(), empty = true;
    group.on("add", function () {
      if (empty) { fill(group); }
      empty = false;
    });
    return group;
  }

  function cellLayer(layer) {
    return drawnWhenAdded(function (group) {
      var shapes = [], words = [];
      layer.rows.forEach(function (row) {
        var said = row.slice(2).map(function (number) { return data.phrases[number]; });
        shapes.push(polygon(data.cells[row[0]].shape, data.styles[row[1]], "cells"));
        words.push(data.unit + " " + data.cells[row[0]].name + " - " + said.join("")
          + data.cells[row[0]].place);
      });
      reachable(shapes, words);
      // Hot cells come first to the keyboard, and are drawn last, over their neighbors' edges.
      shapes.slice().reverse().forEach(function (shape) { group.addLayer(shape); });
    });
  }

  function zoneLayer(zones) {
    return drawnWhenAdded(function (group) {
      var shapes = zones.shapes.map(function (shape) {
        return polygon(shape, data.styles.zone, "zones");
      });
      reachable(shapes, zones.words);
      shapes.forEach(function (shape) { group.addLayer(shape); });
    });
  }

  // Names of areas are shown where they fit.
  function areaLayer(areas) {
    return drawnWhenAdded(function (group) {
      var parts = areas.shapes.map(function (shape, number) {
        var ground = polygon(shape, data.styles.ground, "areas");
        var line = polygon(shape, areas.line, "lines");
        ground.bindTooltip(plain(areas.names[number]), {sticky: true});
        line.bindTooltip(plain(areas.short[number]), {
          permanent: true, direction: "center", className: "name", pane: "names"
        });
        group.addLayer(ground).addLayer(line);
        return line;
      });
      function fit() {
        parts.forEach(function (line, number) {
          var bounds = line.getBounds();
          var west = map.latLngToLayerPoint(bounds.getSouthWest());
          var east = map.latLngToLayerPoint(bounds.getNorthEast());
          var name = line.getTooltip() && line.getTooltip().getElement();
          var fits = east.x - west.x > 6 * areas.short[number].length && west.y - east.y > 18;
          if (name) { name.style.display = fits ? "" : "none"; }
        });
      }
      fit();
      group.on("add", fit);
      map.on("zoomend viewreset resize", fit);
    });
  }

  data.outline.forEach(function (shape) {
    polygon(shape, data.styles.outline, "lines").addTo(map);
  });

  var bases = {}, overlays = {}, byName = {};
  data.layers.forEach(function (layer) {
    bases[layer.label] = cellLayer(layer);
    byName[layer.label] = layer;
  });
  data.areas.forEach(function (areas) { overlays[areas.label] = areaLayer(areas); });
  data.zones.forEach(function (zones) { overlays[zones.label] = zoneLayer(zones); });

  // A frame may have no size yet when its page is read, and takes another when the window does.
  function fitted() {
    map.invalidateSize({animate: false});
    var size = map.getSize();
    if (size.x > 30 && size.y > 30) {
      map.fitBounds(data.bounds, {padding: [12, 12], animate: false});
    } else {
      map.setView(L.latLngBounds(data.bounds).getCenter(), 10, {animate: false});
    }
  }
  fitted();
  // The list of layers stands beside the map, with the key: on it, it would hide half a city.
  var control = L.control.layers(bases, overlays, {collapsed: false}).addTo(map);
  document.querySelector(".side").appendChild(control.getContainer());
  L.control.scale({position: "bottomright"}).addTo(map);

  function legend(layer) {
    document.querySelectorAll("[data-line]").forEach(function (line) {
      line.textContent = layer.legend[Number(line.dataset.line)] || "";
    });
  }
  map.on("baselayerchange", function (event) { legend(byName[event.name]); });
  bases[data.layers[0].label].addTo(map);
  if (data.areas.length) { overlays[data.areas[0].label].addTo(map); }

  new ResizeObserver(fitted).observe(map.getContainer());
}
