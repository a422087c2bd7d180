"""Whether the model deserves belief: its predictions beside what happened, and beside rules that need none."""

from .evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
