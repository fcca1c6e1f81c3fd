from tests.bench.results import Results
from tests.bench.cells import PEERS
def text(r: Results) -> str:
    lines=[]
    for c in (*r.cells,*r.scaling,*r.starts):
        p={n: f"{c.seconds(n):.3f}/{c.peak(n)/1e6:.0f}M" for n in c.programs}
        lines.append(f"{c.name} {c.rows} {p} best {c.to_best:.2f} floor {c.to_floor:.2f} beyond {c.to_floor_beyond_start:.2f} mem {c.memory:.2f}")
    return "\n".join(lines)
