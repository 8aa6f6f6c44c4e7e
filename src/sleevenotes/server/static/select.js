// Ticks all plays of the page at once; without this script each is ticked by itself.

const all = document.querySelector("#all");
const boxes = [...document.querySelectorAll(".picks input")];

function told() {
  all.textContent = boxes.every((box) => box.checked) ? "Tick none" : "Tick all of this page";
}

all.hidden = boxes.length < 2;
all.addEventListener("click", () => {
  const ticked = !boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = ticked;
  told();
});
addEventListener("change", told);
addEventListener("pageshow", told); // the browser may have kept ticks
