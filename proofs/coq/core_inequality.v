(* Steps L3.1 to L3.3: d(1-beta || alpha) >= (1-s) ln(1/s) with s = alpha+beta <= 1, on
   the full domain 0 < alpha, 0 <= beta, strictly for s < 1.

   With q = alpha and t = 1-s, two functions of u in [0, t] are compared that are both
   0 at u = 0: d(q+u || q), and the integral of ln(1+v/s) - ln(1-v) over v in [0, u],
   which is (1-s) ln(1/s) at u = t. The slope of the first is the larger one.

   At alpha = 0 the divergence is infinite unless beta = 1, where s = 1 and both sides
   are 0. Coq's ln 0 = 0 would give `divergence` a finite value there, so alpha = 0 is
   left to `divergence_unbounded`, which proves the infinite limit, and
   `core_inequality_both_certain`, which is the case beta = 1. *)

Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From QjaxProofs Require Import scalar_base binary_divergence.
Open Scope R_scope.

(* The integral of ln(1+v/s) - ln(1-v) over v in [0, u]. *)
Definition lower (s u : R) : R := xlnx (s + u) - (s + u) * ln s + xlnx (1 - u).

Definition gap (s q u : R) : R := divergence (q + u) q - lower s u.
Definition gap' (s q u : R) : R :=
  (ln (1 + u / q) - ln (1 - u / (1 - q))) - (ln (1 + u / s) - ln (1 - u)).

Lemma lower_start : forall s, lower s 0 = 0.
Proof.
  intros s. unfold lower. rewrite Rplus_0_r, Rminus_0_r, xlnx_1. unfold xlnx. ring.
Qed.

Theorem lower_end : forall s, 0 < s -> lower s (1 - s) = (1 - s) * ln (1 / s).
Proof.
  intros s Hs. unfold lower. rewrite ln_div, ln_1 by lra.
  replace (s + (1 - s)) with 1 by ring. replace (1 - (1 - s)) with s by ring.
  rewrite xlnx_1. unfold xlnx. ring.
Qed.

Lemma gap_derivative : forall s q u, 0 < q -> q <= s -> 0 < u -> u < 1 - s ->
  is_derive (gap s q) u (gap' s q u).
Proof.
  intros s q u Hq Hs Hu Ht. unfold gap, gap', divergence, lower, term, xlnx.
  assert (E1 : 1 + u / q = (q + u) / q) by (field; lra).
  assert (E2 : 1 - u / (1 - q) = (1 - (q + u)) / (1 - q)) by (field; lra).
  assert (E3 : 1 + u / s = (s + u) / s) by (field; lra).
  rewrite E1, E2, E3, !ln_div by lra.
  auto_derive; [repeat split; lra |].
  replace (1 + - (q + u)) with (1 - (q + u)) by ring.
  replace (1 + - u) with (1 - u) by ring. field. lra.
Qed.

Lemma gap_continuous : forall s q u, 0 < q -> q <= s -> 0 <= u -> u <= 1 - s ->
  continuity_pt (gap s q) u.
Proof.
  intros s q u Hq Hs Hu Ht. unfold gap, divergence, lower, term.
  repeat (apply continuity_pt_minus || apply continuity_pt_plus); try (reg; fail).
  - apply (continuity_pt_comp (fun v => q + v) xlnx);
      [reg | apply xlnx_continuous; lra].
  - apply (continuity_pt_comp (fun v => 1 - (q + v)) xlnx);
      [reg | apply xlnx_continuous; lra].
  - apply (continuity_pt_comp (fun v => s + v) xlnx);
      [reg | apply xlnx_continuous; lra].
  - apply (continuity_pt_comp (fun v => 1 - v) xlnx);
      [reg | apply xlnx_continuous; lra].
Qed.

(* Step L3.2: the two lower bounds on the slope. *)
Lemma gap'_positive : forall s q u, 0 < q -> q <= s -> 0 < u -> u < 1 - s ->
  0 < gap' s q u.
Proof.
  intros s q u Hq Hs Hu Ht. unfold gap'.
  assert (H1 : u / s <= u / q).
  { apply Rmult_le_compat_l; [lra |]. apply Rinv_le_contravar; lra. }
  assert (H0 : 0 < u / s) by (apply Rdiv_lt_0_compat; lra).
  assert (H2 : u < u / (1 - q)).
  { apply Rmult_lt_reg_r with (1 - q); [lra |].
    replace (u / (1 - q) * (1 - q)) with u by (field; lra). nra. }
  assert (H3 : 0 < 1 - u / (1 - q)).
  { replace (1 - u / (1 - q)) with ((1 - q - u) / (1 - q)) by (field; lra).
    apply Rdiv_lt_0_compat; lra. }
  pose proof (ln_monotone (1 + u / s) (1 + u / q)).
  pose proof (ln_increasing (1 - u / (1 - q)) (1 - u)). lra.
Qed.

Theorem core_inequality_strict : forall alpha beta,
  0 < alpha -> 0 <= beta -> alpha + beta < 1 ->
  (1 - (alpha + beta)) * ln (1 / (alpha + beta)) < divergence (1 - beta) alpha.
Proof.
  intros q beta Hq Hb Hsum. set (s := q + beta).
  assert (Hs : q <= s < 1) by (unfold s; lra).
  assert (H : gap s q 0 < gap s q (1 - s)).
  { apply (increasing_strictly _ (gap' s q)); [lra | | |]; intros u Hu.
    - apply gap_continuous; lra.
    - apply gap_derivative; lra.
    - apply gap'_positive; lra. }
  unfold gap in H. rewrite lower_start, lower_end in H by lra.
  replace (q + (1 - s)) with (1 - beta) in H by (unfold s; ring).
  rewrite Rplus_0_r, divergence_zero in H. lra.
Qed.

Theorem core_inequality : forall alpha beta,
  0 < alpha -> 0 <= beta -> alpha + beta <= 1 ->
  (1 - (alpha + beta)) * ln (1 / (alpha + beta)) <= divergence (1 - beta) alpha.
Proof.
  intros q beta Hq Hb [H | H]; [left; apply core_inequality_strict; assumption |].
  rewrite H. replace (1 - beta) with q by lra. rewrite divergence_zero. lra.
Qed.

(* The same in bits. *)
Theorem core_inequality_bits : forall alpha beta,
  0 < alpha -> 0 <= beta -> alpha + beta <= 1 ->
  (1 - (alpha + beta)) * log2 (1 / (alpha + beta))
    <= divergence (1 - beta) alpha / ln 2.
Proof.
  intros alpha beta Ha Hb Hs. unfold log2, Rdiv. rewrite <- Rmult_assoc.
  apply Rmult_le_compat_r.
  - left. apply Rinv_0_lt_compat, ln_2_positive.
  - apply core_inequality; assumption.
Qed.

(* alpha = 0, beta = 1. *)
Theorem core_inequality_both_certain :
  divergence (1 - 1) 0 = 0 /\ (1 - (0 + 1)) * ln (1 / (0 + 1)) = 0.
Proof.
  split; [| ring]. replace (1 - 1) with 0 by ring. apply divergence_zero.
Qed.

(* alpha -> 0 with beta < 1: above every number. *)
Theorem divergence_unbounded : forall beta bound, 0 <= beta < 1 ->
  exists delta, 0 < delta /\
  forall alpha, 0 < alpha < delta -> bound < divergence (1 - beta) alpha.
Proof.
  intros beta bound Hb. set (p := 1 - beta).
  assert (Hp : 0 < p <= 1) by (unfold p; lra).
  exists (Rmin (1 / 2) (exp (- ((Rabs bound + 2) / p)))). split.
  { apply Rmin_glb_lt; [lra | apply exp_pos]. }
  intros alpha [Ha Hd].
  assert (Hhalf : alpha < 1 / 2) by (eapply Rlt_le_trans; [exact Hd | apply Rmin_l]).
  assert (Hexp : alpha < exp (- ((Rabs bound + 2) / p)))
    by (eapply Rlt_le_trans; [exact Hd | apply Rmin_r]).
  assert (Hln : ln alpha < - ((Rabs bound + 2) / p)).
  { rewrite <- (ln_exp (- ((Rabs bound + 2) / p))). apply ln_increasing; assumption. }
  assert (Hbig : Rabs bound + 2 < - (p * ln alpha)).
  { replace (Rabs bound + 2) with (p * ((Rabs bound + 2) / p)) by (field; lra). nra. }
  assert (Hone : p - 1 <= xlnx p).
  { pose proof (term_above_line p 1) as H. unfold term in H. rewrite ln_1 in H.
    assert (dominated p 1) by (split; [lra | split; [lra |]]; intros; lra).
    specialize (H H0). lra. }
  assert (Htwo : dominated (1 - p) (1 - alpha)).
  { split; [lra | split; [lra |]]. intros; lra. }
  pose proof (term_above_line _ _ Htwo). pose proof (Rle_abs bound).
  unfold divergence. unfold term at 1. lra.
Qed.
