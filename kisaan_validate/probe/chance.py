"""Fisher's exact test, one-sided: how probable so many errors after a change are if it changed nothing.

R. A. Fisher, Statistical Methods for Research Workers, 5th edition (1934), section 21.02: given the number
of requests on both sides and the errors of both together, the errors after it follow the hypergeometric
distribution. Its terms are computed by their ratios, to sixty digits.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

_DIGITS = 60
_NEGLIGIBLE = Decimal(10) ** -50


def chance_of(before: tuple[int, int], after: tuple[int, int]) -> Decimal:
    """The probability of at least so many errors after, if all requests were alike. Each side is (requests,
    errors), with at least one request.
    """
    (n_before, e_before), (n_after, e_after) = before, after
    errors, requests = e_before + e_after, n_before + n_after
    low, high = max(0, errors - n_before), min(errors, n_after)
    with localcontext() as context:
        context.prec = _DIGITS
        # From the most probable number outwards, so that nothing that counts is lost.
        mode = min(high, max(low, (errors + 1) * (n_after + 1) // (requests + 2)))
        whole = tail = Decimal(0)
        for step in (1, -1):
            weight, k = Decimal(1), mode
            while low <= k <= high and weight > _NEGLIGIBLE:
                counted = step == 1 or k != mode
                whole += weight if counted else 0
                tail += weight if counted and k >= e_after else 0
                weight *= _ratio(k, step, errors, n_after, n_before)
                k += step
        return tail / whole


def _ratio(k: int, step: int, errors: int, n_after: int, n_before: int) -> Decimal:
    """The probability of k + step, over that of k."""
    if step > 0:
        return Decimal((errors - k) * (n_after - k)) / Decimal((k + 1) * (n_before - errors + k + 1))
    return Decimal(k * (n_before - errors + k)) / Decimal((errors - k + 1) * (n_after - k + 1))


def first_noticed(before: tuple[int, int], n_after: int, chance: Decimal) -> int | None:
    """The smallest number of errors after that is improbable enough; None if not even all of them are."""
    low, high = 0, n_after
    if chance_of(before, (n_after, high)) >= chance:
        return None
    # More errors are less probable, so that halving finds the first.
    while low < high:
        middle = (low + high) // 2
        if chance_of(before, (n_after, middle)) < chance:
            high = middle
        else:
            low = middle + 1
    return low
