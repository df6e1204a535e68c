"""How an answer is called: seldom, with copies, and with torch left as it was found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from attention_course.checks import EXERCISES, judge

FEW = 9


class AttentionHead(nn.Module):
    made = 0
    called = 0

    def __init__(self, d_model, d_k, d_v):
        super().__init__()
        type(self).made += 1
        self.query, self.key = nn.Linear(d_model, d_k), nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(self, x):
        type(self).called += 1
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1)
        return weights @ v, weights


def scores(queries, keys):
    return queries @ keys.mT / math.sqrt(queries.shape[-1])


def test_a_right_head_is_made_and_called_a_few_times_only():
    """Each costs an exchange or more where the head lives in another process."""
    AttentionHead.made = AttentionHead.called = 0
    assert judge("attention_head", AttentionHead).passed
    assert AttentionHead.made <= 3
    assert AttentionHead.called <= FEW


def test_a_right_function_is_called_a_few_times_only():
    calls = []

    def counted(queries, keys):
        calls.append(queries.shape)
        return scores(queries, keys)

    assert judge("attention_scores", counted).passed
    assert len(calls) <= FEW
    assert len(set(calls)) >= 4


@pytest.mark.parametrize("exercise", ["attention_scores", "attention_head"])
def test_what_a_notebook_has_set_in_torch_changes_no_verdict_and_is_left_as_it_was(exercise):
    answer = {"attention_scores": scores, "attention_head": AttentionHead}[exercise]
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    threads = torch.get_num_threads()
    try:
        found = judge(exercise, answer)
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
    assert found.passed, found


def test_what_an_answer_sets_in_torch_is_set_back():
    def careless(queries, keys):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return scores(queries, keys)

    assert judge("attention_scores", careless).passed
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


def test_an_answer_that_spoils_the_parameters_it_is_given_does_not_spoil_the_reference():
    class Spoiling(AttentionHead):
        def load_state_dict(self, state, *arguments, **named):
            for tensor in state.values():
                tensor.zero_()
            return super().load_state_dict(state, *arguments, **named)

    assert not judge("attention_head", Spoiling).passed


def test_weights_kept_in_one_buffer_are_those_of_each_call():
    class SimpleAttention(nn.Module):
        def __init__(self, n_embd):
            super().__init__()
            self.query, self.key = nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd)
            self.value = nn.Linear(n_embd, n_embd)
            self.attention_weights = None

        def forward(self, x):
            weights = torch.softmax(self.query(x) @ self.key(x).mT, dim=-1)
            if self.attention_weights is None or self.attention_weights.shape != weights.shape:
                self.attention_weights = torch.empty(weights.shape)
            self.attention_weights.copy_(weights.detach())
            return weights @ self.value(x)

    for name in ("projections", "scores", "weights", "output"):
        assert judge(name, SimpleAttention).passed, EXERCISES[name]
