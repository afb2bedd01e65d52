"""The project's own benchmarks: `python -m bench`, `python -m bench.size`.

One small module a measurement. Its one rule: no figure stands alone; each is shown beside a floor that was measured
in the same run, in interleaved rounds. Everything happens on 127.0.0.1 and ends by itself.
"""
