"""The figures of each class in a terminal: the same as the report's, in columns."""

from training.reports.terminal import classes_text

REPORT = {
    "classes": {
        "happy": {"answers": 1200, "recall": 0.75, "precision": 0.8333, "f1": 0.7891},
        "sad": {"answers": 7, "recall": 1.0, "precision": None, "f1": 0.0},
    },
    "confusion": [[900, 300], [0, 7]],
}


def test_each_class_has_its_figures_and_what_it_is_taken_for() -> None:
    assert classes_text(REPORT).splitlines() == [
        "class  clips   recall  precision      F1",
        "happy  1,200   75.0 %     83.3 %  78.9 %",
        "sad        7  100.0 %          –   0.0 %",
        "",
        "truth, and what it is taken for  happy  sad",
        "happy                              900  300",
        "sad                                  0    7",
    ]
