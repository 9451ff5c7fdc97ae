// The shelf's search and sorting. Without it every file is still there, newest week first.
(function () {
  "use strict";

  var months = { jan: "january", feb: "february", mar: "march", apr: "april", may: "may",
    jun: "june", jul: "july", aug: "august", sep: "september", oct: "october", nov: "november",
    dec: "december" };

  function plain(words) {
    return words.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "")
      .replace(/\s+/g, " ").trim();
  }

  // What a row is found by: the words on it, the department, and the month in full.
  function words(row) {
    var department = row.closest("section").querySelector("h2").textContent;
    var names = Array.from(row.querySelectorAll("[data-name]"), function (item) {
      return item.dataset.name;
    });
    var text = plain([department, row.textContent, names.join(" ")].join(" "));
    return text.replace(/\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\b/g, function (short) {
      return short + " " + months[short];
    });
  }

  var tables = Array.from(document.querySelectorAll("[data-weeks]"));
  var rows = [];
  tables.forEach(function (table) {
    Array.from(table.tBodies[0].rows).forEach(function (row) {
      rows.push({ row: row, words: words(row) });
    });
  });

  var form = document.querySelector(".shelf-search");
  if (form) {
    var search = document.getElementById("search");
    var found = document.getElementById("found");
    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    search.addEventListener("input", function () {
      var wanted = plain(search.value).split(" ").filter(Boolean);
      var shown = 0;
      rows.forEach(function (entry) {
        var fits = wanted.every(function (word) { return entry.words.indexOf(word) >= 0; });
        entry.row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      tables.forEach(function (table) {
        var none = Array.from(table.tBodies[0].rows).every(function (row) { return row.hidden; });
        table.closest(".bb-scroll").hidden = none;
        table.closest("section").querySelector(".shelf-none").hidden = !none;
      });
      found.textContent = wanted.length ? shown + " of " + rows.length + " weeks" : "";
    });
  }

  tables.forEach(function (table) {
    var heads = Array.from(table.querySelectorAll("th[data-sort]"));
    heads.forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        // Newest first at the first click, the other way at the next.
        var up = head.getAttribute("aria-sort") === "descending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        var body = table.tBodies[0];
        Array.from(body.rows).map(function (row, number) {
          return { row: row, key: row.dataset[head.dataset.sort], number: number };
        }).sort(function (one, other) {
          var order = one.key < other.key ? -1 : one.key > other.key ? 1 : 0;
          return (up ? order : -order) || one.number - other.number;
        }).forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  });
})();
