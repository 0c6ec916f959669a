(* Step L6.4: the capacity of depolarizing noise is at most the squared survival,
   1 - h((1+x)/2) <= x^2 on the closed interval [0, 1], equality at both ends.

   In nats, with c(x) = ln 2 + xlnx((1+x)/2) + xlnx((1-x)/2), the ratio c(x)/x^2 is
   increasing: its slope is n(x)/x^3, where n(0) = n'(0) = 0 and
   n''(x) = 2 x^2/(1-x^2)^2. At x = 1 it is ln 2. *)

Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From QjaxProofs Require Import scalar_base.
Open Scope R_scope.

Definition capacity_nats (x : R) : R :=
  ln 2 + xlnx ((1 + x) / 2) + xlnx ((1 - x) / 2).

Lemma capacity_without_halves : forall x, -1 < x <= 1 ->
  capacity_nats x = (xlnx (1 + x) + xlnx (1 - x)) / 2.
Proof.
  intros x [Hl Hr]. unfold capacity_nats, xlnx.
  rewrite ln_div by lra. destruct (Req_dec x 1) as [-> | Hn].
  { replace ((1 - 1) / 2) with 0 by field. replace (1 - 1) with 0 by ring.
    replace (1 + 1) with 2 by ring. field. }
  rewrite ln_div by lra. field.
Qed.

Definition slope_numerator (x : R) : R :=
  - (1 + x / 2) * ln (1 + x) - (1 - x / 2) * ln (1 - x).
Definition slope_numerator' (x : R) : R :=
  (ln (1 - x) - ln (1 + x)) / 2 + x / (1 - x * x).

Lemma slope_numerator_derivative : forall x, 0 <= x < 1 ->
  is_derive slope_numerator x (slope_numerator' x).
Proof.
  intros x Hx. unfold slope_numerator, slope_numerator'. auto_derive; [lra |].
  replace (1 + - x) with (1 - x) by ring. field. repeat split; nra.
Qed.

Lemma slope_numerator_derivative' : forall x, 0 <= x < 1 ->
  is_derive slope_numerator' x (2 * (x * x) / ((1 - x * x) * (1 - x * x))).
Proof.
  intros x Hx. unfold slope_numerator'.
  auto_derive; [repeat split; nra |].
  replace (1 + - x) with (1 - x) by ring. field. repeat split; nra.
Qed.

Lemma slope_numerator'_nonnegative : forall x, 0 <= x < 1 -> 0 <= slope_numerator' x.
Proof.
  intros x [H0 H1].
  replace 0 with (slope_numerator' 0).
  2: { unfold slope_numerator'. rewrite Rminus_0_r, Rplus_0_r, ln_1. field. }
  apply (increasing _ (fun x => 2 * (x * x) / ((1 - x * x) * (1 - x * x)))); try lra.
  - intros y Hy. eapply continuous_where_derivable, slope_numerator_derivative'. lra.
  - intros y Hy. apply slope_numerator_derivative'. lra.
  - intros y Hy. apply Rmult_le_pos; [nra |]. left. apply Rinv_0_lt_compat.
    apply Rmult_lt_0_compat; nra.
Qed.

Lemma slope_numerator_nonnegative : forall x, 0 <= x < 1 -> 0 <= slope_numerator x.
Proof.
  intros x [H0 H1].
  replace 0 with (slope_numerator 0).
  2: { unfold slope_numerator. rewrite Rminus_0_r, Rplus_0_r, ln_1. field. }
  apply (increasing _ slope_numerator'); try lra.
  - intros y Hy. eapply continuous_where_derivable, slope_numerator_derivative. lra.
  - intros y Hy. apply slope_numerator_derivative. lra.
  - intros y Hy. apply slope_numerator'_nonnegative. lra.
Qed.

Definition ratio (x : R) : R := (xlnx (1 + x) + xlnx (1 - x)) / (2 * (x * x)).

Lemma ratio_derivative : forall x, 0 < x < 1 ->
  is_derive ratio x (slope_numerator x / (x * x * x)).
Proof.
  intros x Hx. unfold ratio, xlnx, slope_numerator.
  auto_derive; [repeat split; nra |].
  replace (1 + - x) with (1 - x) by ring. field. lra.
Qed.

Lemma ratio_continuous : forall x, 0 < x <= 1 -> continuity_pt ratio x.
Proof.
  intros x Hx. unfold ratio.
  apply continuity_pt_div.
  - apply continuity_pt_plus.
    + apply (continuity_pt_comp (fun y => 1 + y) xlnx); [reg |].
      apply xlnx_continuous. lra.
    + apply (continuity_pt_comp (fun y => 1 - y) xlnx); [reg |].
      apply xlnx_continuous. lra.
  - reg.
  - nra.
Qed.

Theorem capacity_below_square : forall x, 0 <= x <= 1 ->
  capacity_nats x <= ln 2 * (x * x).
Proof.
  intros x [[H0 | <-] H1].
  2: { rewrite capacity_without_halves by lra.
       rewrite Rplus_0_r, Rminus_0_r, xlnx_1. lra. }
  assert (Hr : ratio x <= ratio 1).
  { apply (increasing _ (fun y => slope_numerator y / (y * y * y))); try lra.
    - intros y Hy. apply ratio_continuous. lra.
    - intros y Hy. apply ratio_derivative. lra.
    - intros y Hy. apply Rmult_le_pos; [apply slope_numerator_nonnegative; lra |].
      left. apply Rinv_0_lt_compat. apply Rmult_lt_0_compat; nra. }
  assert (Hone : ratio 1 = ln 2).
  { unfold ratio, xlnx. replace (1 - 1) with 0 by ring.
    replace (1 + 1) with 2 by ring. field. }
  rewrite capacity_without_halves by lra.
  replace ((xlnx (1 + x) + xlnx (1 - x)) / 2) with (ratio x * (x * x))
    by (unfold ratio; field; lra).
  rewrite <- Hone. apply Rmult_le_compat_r; nra.
Qed.

(* The same in bits. *)
Theorem capacity_below_square_bits : forall x, 0 <= x <= 1 ->
  1 - binary_entropy ((1 + x) / 2) <= x * x.
Proof.
  intros x Hx. pose proof ln_2_positive as H2.
  pose proof (capacity_below_square x Hx) as H.
  assert (E : 1 - binary_entropy ((1 + x) / 2) = capacity_nats x * / ln 2).
  { unfold binary_entropy, capacity_nats, xlnx, log2.
    replace (1 - (1 + x) / 2) with ((1 - x) / 2) by field. field. lra. }
  rewrite E. replace (x * x) with (ln 2 * (x * x) * / ln 2) by (field; lra).
  apply Rmult_le_compat_r; [left; apply Rinv_0_lt_compat |]; assumption.
Qed.

Theorem capacity_square_ends :
  capacity_nats 0 = ln 2 * (0 * 0) /\ capacity_nats 1 = ln 2 * (1 * 1).
Proof.
  split; rewrite capacity_without_halves by lra.
  - rewrite Rplus_0_r, Rminus_0_r, xlnx_1. field.
  - unfold xlnx. replace (1 - 1) with 0 by ring. replace (1 + 1) with 2 by ring. field.
Qed.
