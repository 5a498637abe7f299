"use strict";
(() => {
  const collator = new Intl.Collator(undefined, { numeric: true });

  // A cell sorts by its own key, else by its text; cells that say nothing stand last.
  const keyOf = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.k ?? cell.textContent.trim();
  };
  const absent = (key) => key === "" || key === "–" || key === "not known";

  const sortBy = (head) => {
    const table = head.closest("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keys = rows.map((row) => keyOf(row, head.cellIndex));
    const known = keys.filter((key) => !absent(key));
    const numbers = known.every((key) => Number.isFinite(Number(key)));
    const order = rows.map((_, place) => place).sort((a, b) => {
      const [one, other] = [keys[a], keys[b]];
      if (absent(one) || absent(other)) return absent(one) - absent(other) || a - b;
      const found = numbers ? Number(one) - Number(other) : collator.compare(one, other);
      return (up ? found : -found) || a - b;
    });
    body.append(...order.map((place) => rows[place]));
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));

  // What a spreadsheet would run as a formula becomes text.
  const cellOf = (text) => {
    const formula = /^\s*[=+\-@]/.test(text) && !/^\s*[+-]?[\d.,]+(e[+-]?\d+)?\s*%?\s*$/i.test(text);
    const plain = formula ? "'" + text : text;
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };

  const csvOf = (table) => {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cellOf(cell.textContent));
    const rows = [...table.tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => cellOf(cell.textContent)),
    );
    return [heads, ...rows].map((row) => row.join(",")).join("\r\n") + "\r\n";
  };

  const ways = {
    svg: async (block) => {
      const [, base64] = block.querySelector("img").src.split(",", 2);
      return new Blob([bytesOf(base64)], { type: "image/svg+xml" });
    },
    png: async (block) => {
      const image = block.querySelector("img");
      await image.decode();
      const scale = Math.min(300 / 96, 8000 / Math.max(image.naturalWidth, image.naturalHeight));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(image.naturalWidth * scale);
      canvas.height = Math.round(image.naturalHeight * scale);
      const brush = canvas.getContext("2d");
      brush.fillStyle = "#fff";
      brush.fillRect(0, 0, canvas.width, canvas.height);
      brush.drawImage(image, 0, 0, canvas.width, canvas.height);
      return new Promise((done) => canvas.toBlob(done, "image/png"));
    },
    csv: async (block) => {
      const kept = block.querySelector("script.csv");
      const type = "text/csv;charset=utf-8";
      if (!kept) return new Blob(["\ufeff", csvOf(block.querySelector("table"))], { type });
      const packed = new Blob([bytesOf(kept.textContent)]).stream();
      const whole = packed.pipeThrough(new DecompressionStream("gzip"));
      return new Blob(["\ufeff", await new Response(whole).blob()], { type });
    },
  };

  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }
  for (const line of document.querySelectorAll(".save")) line.hidden = false;
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", async () => {
      const block = button.closest(".block");
      const kind = button.dataset.save;
      try {
        save(await ways[kind](block), `${block.dataset.stem}.${kind}`);
      } catch (fault) {
        button.textContent = `${kind.toUpperCase()}: this browser cannot`;
        button.disabled = true;
      }
    });
  }
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
