(* Logarithms, x ln x on the closed half line, and the mean value theorem.

   Used by the other files; closes no step of a proof text by itself. *)

Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* Coq's ln is total, with ln x = 0 for x <= 0. Hence xlnx 0 = 0, as information
   theory wants it. *)
Definition xlnx (x : R) : R := x * ln x.

Definition log2 (x : R) : R := ln x / ln 2.

(* h(p) in bits; h(0) = h(1) = 0. *)
Definition binary_entropy (p : R) : R := - (p * log2 p) - (1 - p) * log2 (1 - p).

Lemma xlnx_0 : xlnx 0 = 0.
Proof. unfold xlnx; ring. Qed.

Lemma xlnx_1 : xlnx 1 = 0.
Proof. unfold xlnx; rewrite ln_1; ring. Qed.

Lemma ln_below : forall x, 0 < x -> ln x <= x - 1.
Proof.
  intros x Hx. pose proof (exp_ineq1_le (ln x)) as H.
  rewrite exp_ln in H; lra.
Qed.

(* The tangent at y lies above the logarithm. *)
Lemma ln_tangent : forall x y, 0 < x -> 0 < y -> ln x <= ln y + (x - y) / y.
Proof.
  intros x y Hx Hy.
  pose proof (ln_below (x / y) (Rdiv_lt_0_compat _ _ Hx Hy)) as H.
  rewrite ln_div in H by assumption.
  replace ((x - y) / y) with (x / y - 1) by (field; lra). lra.
Qed.

Lemma ln_monotone : forall x y, 0 < x -> x <= y -> ln x <= ln y.
Proof.
  intros x y Hx [Hxy | ->]; [left; apply ln_increasing |]; lra.
Qed.

Lemma ln_2_positive : 0 < ln 2.
Proof. rewrite <- ln_1. apply ln_increasing; lra. Qed.

Lemma ln_half : ln (1 / 2) = - ln 2.
Proof. rewrite ln_div, ln_1 by lra. ring. Qed.

(* |x ln x| <= 2 sqrt x near 0: what makes x ln x continuous there. *)
Lemma xlnx_small : forall x, 0 < x <= 1 -> - (2 * sqrt x) <= xlnx x <= 0.
Proof.
  intros x [H0 H1]. unfold xlnx.
  assert (Hr : 0 < sqrt x) by (apply sqrt_lt_R0; lra).
  assert (Hs : sqrt x * sqrt x = x) by (apply sqrt_sqrt; lra).
  assert (Hln : ln x = 2 * ln (sqrt x)).
  { rewrite <- Hs at 1. rewrite ln_mult by assumption. ring. }
  assert (Hneg : ln x <= 0) by (rewrite <- ln_1; apply ln_monotone; lra).
  split; [| nra].
  pose proof (ln_tangent 1 (sqrt x) Rlt_0_1 Hr) as Ht. rewrite ln_1 in Ht.
  assert (Hq : sqrt x * ((1 - sqrt x) / sqrt x) = 1 - sqrt x) by (field; lra).
  assert (- (1 - sqrt x) <= sqrt x * ln (sqrt x)) by nra.
  rewrite Hln. replace (x * (2 * ln (sqrt x)))
    with (sqrt x * sqrt x * (2 * ln (sqrt x))) by (rewrite Hs; reflexivity).
  nra.
Qed.

Lemma xlnx_derivative : forall x, 0 < x -> is_derive xlnx x (ln x + 1).
Proof. intros x Hx. unfold xlnx. auto_derive; [lra | field; lra]. Qed.

Lemma continuous_where_derivable : forall f x l, is_derive f x l -> continuity_pt f x.
Proof.
  intros f x l H. apply derivable_continuous_pt.
  exists l. apply is_derive_Reals. exact H.
Qed.

Lemma xlnx_continuous : forall x, 0 <= x -> continuity_pt xlnx x.
Proof.
  intros x [Hx | <-].
  { exact (continuous_where_derivable _ _ _ (xlnx_derivative x Hx)). }
  intros eps Heps. exists (Rmin 1 ((eps / 2) * (eps / 2))). split.
  { apply Rmin_glb_lt; [lra |]. apply Rmult_lt_0_compat; lra. }
  intros y [_ Hy]. simpl in *. unfold R_dist in *. rewrite xlnx_0, Rminus_0_r in *.
  destruct (Rle_or_lt y 0) as [Hn | Hp].
  { unfold xlnx, ln. destruct (Rlt_dec 0 y); [exfalso; lra |].
    rewrite Rmult_0_r, Rabs_R0. exact Heps. }
  rewrite Rabs_right in Hy by lra.
  pose proof (Rmin_l 1 (eps / 2 * (eps / 2))).
  pose proof (Rmin_r 1 (eps / 2 * (eps / 2))).
  assert (Hs : sqrt y < eps / 2).
  { rewrite <- (sqrt_square (eps / 2)) by lra. apply sqrt_lt_1; try lra. }
  assert (Hb : - (2 * sqrt y) <= xlnx y <= 0) by (apply xlnx_small; lra).
  apply Rabs_def1; lra.
Qed.

(* The mean value theorem with continuity on the closed interval and a derivative
   on the open one: no edge is left out by a singular derivative. *)
Lemma mean_value : forall f f' a b, a < b ->
  (forall x, a <= x <= b -> continuity_pt f x) ->
  (forall x, a < x < b -> is_derive f x (f' x)) ->
  exists c, a < c < b /\ f b - f a = f' c * (b - a).
Proof.
  intros f f' a b Hab Hc Hd.
  assert (df : forall c, a < c < b -> derivable_pt f c).
  { intros c H. exists (f' c). apply is_derive_Reals, Hd, H. }
  assert (did : forall c, a < c < b -> derivable_pt id c).
  { intros c _. apply derivable_pt_id. }
  destruct (MVT f id a b df did Hab Hc) as [c [Hin Heq]].
  { intros c _. apply derivable_continuous_pt, derivable_pt_id. }
  exists c. split; [exact Hin |].
  assert (Hf : derive_pt f c (df c Hin) = f' c).
  { apply derive_pt_eq_0, is_derive_Reals, Hd, Hin. }
  assert (Hi : derive_pt id c (did c Hin) = 1).
  { apply derive_pt_eq_0, derivable_pt_lim_id. }
  rewrite Hf, Hi in Heq. unfold id in Heq. lra.
Qed.

Lemma increasing_strictly : forall f f' a b, a < b ->
  (forall x, a <= x <= b -> continuity_pt f x) ->
  (forall x, a < x < b -> is_derive f x (f' x)) ->
  (forall x, a < x < b -> 0 < f' x) -> f a < f b.
Proof.
  intros f f' a b Hab Hc Hd Hp.
  destruct (mean_value f f' a b Hab Hc Hd) as [c [Hin Heq]].
  specialize (Hp c Hin). nra.
Qed.

Lemma increasing : forall f f' a b, a <= b ->
  (forall x, a <= x <= b -> continuity_pt f x) ->
  (forall x, a < x < b -> is_derive f x (f' x)) ->
  (forall x, a < x < b -> 0 <= f' x) -> f a <= f b.
Proof.
  intros f f' a b [Hab | ->] Hc Hd Hp; [| lra].
  destruct (mean_value f f' a b Hab Hc Hd) as [c [Hin Heq]].
  specialize (Hp c Hin). nra.
Qed.
