// Ticks all plays of the page at once; without this script each is ticked by itself.

const all = document.querySelector("#all"); // not there where there is no play
const boxes = [...document.querySelectorAll(".picks input")];

function told() {
  all.textContent = boxes.every((box) => box.checked) ? "Tick none" : "Tick all of this page";
}

if (boxes.length > 1) {
  all.hidden = false;
  all.addEventListener("click", () => {
    const ticked = !boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = ticked;
    told();
  });
  addEventListener("change", told);
  addEventListener("pageshow", told); // the browser may have kept ticks
}
