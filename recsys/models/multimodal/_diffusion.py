"""Diffusion of interaction profiles: a network learns to denoise them, and denoised profiles give a graph.

A source's content guides the network, so that denoised profiles agree with the content of the user's items
(Jiang et al., DiffMM, MM 2024, secs. 3.2 and 3.3).
"""

import math

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.functional import dropout, embedding, linear

N_STEPS = 5
"""Steps between a profile and its noisiest version."""
SMALLEST_VARIANCE, LARGEST_VARIANCE, FIRST_BETA = 1e-5, 2e-3, 1e-4
"""Variances of the noise, in even steps; the first step's is replaced by `FIRST_BETA`, as published."""
TIME_WIDTH = 10
"""Size of the embedding of a step."""
DROPOUT = 0.5
"""Share of a noisy profile hidden from the network in training."""
BATCH = 1024
"""Users a training step and a block of restored profiles."""


def signal_shares() -> np.ndarray:
    """Share of a profile's variance that is left after each step, alpha-bar in the paper, shape (N_STEPS,)."""
    left = 1 - np.linspace(SMALLEST_VARIANCE, LARGEST_VARIANCE, N_STEPS)
    betas = 1 - left / np.concatenate([[1.0], left[:-1]])
    betas[0] = FIRST_BETA
    return np.cumprod(1 - betas)


class Denoiser(nn.Module):
    """From a noisy profile and its step to the clean profile, through one hidden layer."""

    def __init__(self, n_items: int, n_hidden: int) -> None:
        """Xavier-normal weights and nearly no biases."""
        super().__init__()
        self.time = nn.Linear(TIME_WIDTH, TIME_WIDTH)
        self.first = nn.Linear(n_items + TIME_WIDTH, n_hidden)
        self.second = nn.Linear(n_hidden, n_items)
        for layer in (self.time, self.first, self.second):
            nn.init.xavier_normal_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-3)
        half = TIME_WIDTH // 2
        angles = torch.arange(N_STEPS)[:, None] * (-math.log(10_000) * torch.arange(half) / half).exp()
        self.register_buffer("waves", torch.cat([angles.cos(), angles.sin()], dim=1), persistent=False)

    def forward(self, profiles: Tensor, steps: Tensor) -> Tensor:
        """Clean profiles of noisy ones, both of shape (n_users, n_items), at steps of shape (n_users,)."""
        return self.second(self.hidden(profiles @ self.inputs.T, steps))

    @property
    def inputs(self) -> Tensor:
        """The first layer's weights for the items, shape (n_hidden, n_items)."""
        return self.first.weight[:, : self.second.out_features]

    def hidden(self, mapped: Tensor, steps: Tensor) -> Tensor:
        """The hidden layer of profiles that are already multiplied with `inputs`, shape (n_users, n_hidden)."""
        times = linear(self.time(self.waves), self.first.weight[:, self.second.out_features :], self.first.bias)
        return (mapped + embedding(steps, times)).tanh()


class Diffusion:
    """One source's denoiser with its optimiser; no part of the network that scores, whose steps do not move it."""

    def __init__(self, train: sparse.csr_array, n_hidden: int, guidance_weight: float, learning_rate: float) -> None:
        """Draw the denoiser.

        Args:
            train: the profiles, shape (n_users, n_items); users without interactions are passed over.
            n_hidden: size of its hidden layer.
            guidance_weight: weight of the content in its loss.
            learning_rate: Adam's.
        """
        self.train, self.users = train, np.flatnonzero(np.diff(train.indptr))
        self.never_taken = torch.from_numpy(train.sum(axis=0) == 0)
        self.guidance_weight = guidance_weight
        self.denoiser = Denoiser(train.shape[1], n_hidden)
        self.optimiser = torch.optim.Adam(self.denoiser.parameters(), lr=learning_rate, fused=True)
        signal = signal_shares()
        ratio, before = signal / (1 - signal), np.concatenate([[1.0], signal[:-1]])
        self.signal = torch.from_numpy(signal).float()
        self.weights = torch.from_numpy(np.concatenate([[1.0], ratio[:-1] - ratio[1:]])).float()
        keep = signal / before
        self.to_clean = (1 - keep) * np.sqrt(before) / (1 - signal)
        self.to_noisy = (1 - before) * np.sqrt(keep) / (1 - signal)

    def learn(self, content: Tensor, items: Tensor, rng: np.random.Generator) -> None:
        """One pass over the users.

        Args:
            content: the source's mapped features, shape (n_items, n_factors).
            items: the items' embeddings, same shape.
            rng: gives the order of the users.
        """
        self.denoiser.to(items.device)
        order = rng.permutation(self.users)
        for start in range(0, len(order), BATCH):
            profiles = self._profiles(order[start : start + BATCH])
            steps = torch.randint(N_STEPS, (len(profiles),), device=profiles.device)
            self.optimiser.zero_grad()
            self.loss(profiles, steps, torch.randn_like(profiles), content, items).backward()
            self.optimiser.step()

    def loss(self, profiles: Tensor, steps: Tensor, noise: Tensor, content: Tensor, items: Tensor) -> Tensor:
        """Squared error of the denoised profiles, and of their mapped content beside the profiles' embeddings."""
        signal = self.signal.to(profiles.device)[steps, None]
        restored = self.denoiser(dropout(signal.sqrt() * profiles + (1 - signal).sqrt() * noise, DROPOUT), steps)
        errors = (profiles - restored).square().mean(dim=1)
        guidance = (restored @ content - profiles @ items).square().mean()
        return (self.weights.to(steps.device)[steps] * errors).mean() + self.guidance_weight * guidance

    @torch.no_grad()
    def graph(self, n_best: int) -> sparse.csr_array:
        """The best items of each restored profile among those in training, 0 or 1, shape (n_users, n_items).

        Profiles go back from the last step without noise, by the means of the posteriors. These are linear in what
        the denoiser says, whose next hidden layer therefore follows from its last: the profiles between are never
        computed.
        """
        denoiser = self.denoiser
        again, shift = denoiser.inputs @ denoiser.second.weight, denoiser.inputs @ denoiser.second.bias
        found = [np.zeros(0, dtype=np.int64)]
        for start in range(0, len(self.users), BATCH):
            mapped = self._profiles(self.users[start : start + BATCH]) @ denoiser.inputs.T
            for step in range(N_STEPS - 1, 0, -1):
                hidden = denoiser.hidden(mapped, torch.full((len(mapped),), step, device=mapped.device))
                mapped = self.to_clean[step] * (hidden @ again.T + shift) + self.to_noisy[step] * mapped
            hidden = denoiser.hidden(mapped, torch.zeros(len(mapped), dtype=torch.int64, device=mapped.device))
            scores = denoiser.second(hidden).masked_fill(self.never_taken.to(hidden.device), -torch.inf)
            found.append(scores.topk(n_best, dim=1).indices.flatten().cpu().numpy())
        columns = np.concatenate(found)
        ones, rows = np.ones(len(columns), dtype=np.float32), np.repeat(self.users, n_best)
        return sparse.csr_array((ones, (rows, columns)), shape=self.train.shape)

    def _profiles(self, users: np.ndarray) -> Tensor:
        return torch.from_numpy(self.train[users].toarray()).to(self.denoiser.first.weight.device)


def thinned(graph: sparse.csr_array, rate: float, rng: np.random.Generator) -> sparse.csr_array:
    """The graph without a share `rate` of its entries, the others larger so that sums stay as expected."""
    if rate == 0:
        return graph
    kept = sparse.csr_array(graph, copy=True)
    kept.data = np.where(rng.random(kept.nnz) < rate, 0, kept.data / np.float32(1 - rate)).astype(np.float32)
    kept.eliminate_zeros()
    return kept
